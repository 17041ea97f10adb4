// The demo as a newcomer meets it: one command, one address, two browser windows that chat.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';

const transports = ['bosh', 'websocket'];

let demo;
let url;
let browser;
before(async () => {
  demo = spawn(fileURLToPath(new URL('../../etc/demo', import.meta.url)), ['--no-install'], { stdio: ['ignore', 'pipe', 'inherit'] });
  url = await new Promise((resolve, reject) => {
    let output = '';
    demo.stdout.on('data', (chunk) => {
      output += chunk;
      const match = /Open (\S+)/.exec(output);
      if (match) resolve(match[1]);
    });
    demo.on('exit', (code) => reject(new Error(`the demo ended with ${code}:\n${output}`)));
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  if (demo.exitCode !== null) return;
  const ended = once(demo, 'exit');
  demo.kill('SIGTERM');
  await ended;
});

async function window(size) {
  const context = await browser.newContext({ viewport: size ?? { width: 1400, height: 860 } });
  const page = await context.newPage();
  await page.goto(url);
  return page;
}

async function say(page, text) {
  await page.fill('#composer-input', text);
  await page.click('#composer-send');
}

// The switch stands at BOSH until somebody turns it.
async function choose(page, transport) {
  if (transport === 'websocket') await page.locator('#transport label', { hasText: 'WebSocket' }).click();
  assert.equal(await page.locator('#transport :checked').inputValue(), transport);
}

async function login(page, transport, name) {
  await choose(page, transport);
  await page.click(`[data-account="${name}@localhost"]`);
  await page.locator('#occupants button', { hasText: `${name} (you)` }).waitFor();
}

async function logout(page) {
  await page.click('#logout');
  await page.locator('#login').waitFor();
}

// A message that comes back from the room.
async function echo(page, text) {
  await say(page, text);
  await page.locator('#messages .message.mine .text', { hasText: text }).waitFor();
}

// What a plot says of each of its points: { message, time, bytes }.
async function drawn(page, plot, transport) {
  const titles = await page.locator(`#plot-${plot} .${transport} .point title`).allTextContents();
  return titles.map((title) => {
    const [, message, time, bytes] = /message (\d+): ([\d.,]+) ms, (\d+) bytes$/.exec(title);
    return { message: Number(message), time: Number(time.replace(',', '')), bytes: Number(bytes) };
  });
}

const heard = (page, text) => page.locator('#messages .message:not(.mine) .text', { hasText: text }).waitFor();

// What Chromium says that each message took; the text of one → its bytes.
const counters = {
  // The request with the message is answered with its echo. One that was held before returns empty first; there may be
  // none yet, as Strophe.js waits a little before it sends one.
  bosh(page) {
    const began = new Map();
    const exchanges = [];
    let clock = 0;
    page.on('request', (request) => began.set(request, ++clock));
    page.on('requestfinished', (request) => {
      if (request.method() !== 'POST') return;
      const received = request.response().then((response) => response.body());
      exchanges.push({ began: began.get(request), ended: ++clock, sent: request.postDataBuffer(), received });
    });
    return async (text) => {
      const own = exchanges.find(({ sent }) => sent.includes(text));
      const during = exchanges.filter(({ ended }) => ended > own.began && ended <= own.ended);
      const sizes = during.map(async ({ sent, received }) => sent.length + (await received).length);
      return (await Promise.all(sizes)).reduce((sum, size) => sum + size);
    };
  },

  // Two frames of 126 to 65535 bytes, one of them masked.
  websocket(page) {
    const sent = [];
    const received = [];
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => sent.push(payload));
      socket.on('framereceived', ({ payload }) => received.push(payload));
    });
    const bytes = (frames, text) => Buffer.byteLength(frames.find((frame) => frame.includes(text)));
    return async (text) => bytes(sent, text) + 8 + bytes(received, text) + 4;
  },
};

for (const transport of transports) test(`two windows chat in the room and one to one over ${transport}`, async () => {
  const romeo = await window();
  await login(romeo, transport, 'romeo');
  const juliet = await window();
  await login(juliet, transport, 'juliet');
  await romeo.locator('#occupants button', { hasText: 'juliet' }).waitFor();
  await juliet.locator('#occupants button', { hasText: 'romeo' }).waitFor();

  await say(juliet, 'O Romeo, wherefore <art> thou & where? 🌹');
  await heard(romeo, 'O Romeo, wherefore <art> thou & where? 🌹');
  await say(romeo, 'Behind HAProxy, on the second node.');
  await heard(juliet, 'Behind HAProxy, on the second node.');

  await romeo.locator('#occupants button', { hasText: 'juliet' }).click();
  await say(romeo, 'Only for you: is the connection safe?');
  await juliet.locator('#conversations button', { hasText: 'romeo' }).click();
  await heard(juliet, 'Only for you: is the connection safe?');
  await say(juliet, 'It has not lost a stanza yet.');
  await heard(romeo, 'It has not lost a stanza yet.');

  assert.match(await romeo.locator('#traffic').innerText(), transport === 'bosh' ? /<body rid=/ : /<open xmlns=/);

  await juliet.reload();
  if (transport === 'websocket') await login(juliet, transport, 'juliet');  // only BOSH has sessions to take up
  await say(romeo, 'Are you still there?');
  await juliet.locator('#conversations button', { hasText: 'romeo' }).click();
  await heard(juliet, 'Are you still there?');

  await logout(romeo);
  await juliet.locator('#occupants button', { hasText: 'romeo' }).waitFor({ state: 'detached' });
  await logout(juliet);
});

test('messages are measured over both transports, and what was drawn stays', async () => {
  const page = await window();
  const texts = ['first 🌹', 'second'];
  const spent = {};
  for (const transport of transports) {
    const count = counters[transport](page);
    await login(page, transport, 'romeo');
    await page.locator('#messages .notice').waitFor();
    for (const text of texts) await echo(page, `${text} over ${transport}`);
    await logout(page);
    spent[transport] = await Promise.all(texts.map((text) => count(`${text} over ${transport}`)));
  }
  for (const transport of transports) {
    const points = await drawn(page, 'bytes', transport);
    assert.deepEqual(points.map(({ message }) => message), [1, 2]);
    assert.deepEqual(points.map(({ bytes }) => bytes), spent[transport]);
    assert.deepEqual(await drawn(page, 'time', transport), points);
    for (const { time } of points) assert.ok(time > 0 && time < 10_000, `${time} ms`);
  }
  const legend = await page.locator('#legend .websocket').textContent();
  assert.match(legend, /[\d.]+ ms, \d+ bytes/);
});

if (process.env.SCREENSHOT) test('a picture for the README', async () => {
  const light = 'But, soft! what light through yonder window breaks? It is the east, and Juliet is the sun.'.split(' ');
  const romeo = await window();
  for (const transport of transports) {
    await login(romeo, transport, 'romeo');
    for (let count = 1; count <= 12; ++count) {
      await echo(romeo, light.slice(count % 5, 5 + count).join(' '));
      await romeo.waitForTimeout(250);  // Strophe.js has a request open again
    }
    await logout(romeo);
  }
  await login(romeo, 'websocket', 'romeo');  // the room is empty again
  const juliet = await window();
  await login(juliet, 'bosh', 'juliet');
  const talk = [
    [juliet, 'How does the browser get to the server at all?'],
    [romeo, 'I am here over WebSocket: one frame each way.'],
    [juliet, 'And I over BOSH. It always has a request open, and boshd answers the moment the server says something.'],
    [romeo, 'If you reload the page, or the train goes into a tunnel?'],
    [juliet, 'Then the same request comes once more and gets the same answer. Nothing is lost, nothing comes twice 🚆'],
    [romeo, 'What does it take?'],
    [juliet, 'You see it on the right.'],
    [romeo, 'Less than I thought.'],
  ];
  for (const [page, text] of talk) {
    await echo(page, text);
    await heard(page === romeo ? juliet : romeo, text);
  }
  await romeo.screenshot({ path: process.env.SCREENSHOT });
  for (const page of [romeo, juliet]) await logout(page);
});

for (const transport of transports) test(`a guest logs in, and nobody sees secrets in the traffic over ${transport}`, async () => {
  const guest = await window();
  await choose(guest, transport);
  await guest.click('#login-anonymous');
  await guest.locator('#occupants button', { hasText: /guest-.*\(you\)/ }).waitFor();
  const account = await window();
  await login(account, transport, 'romeo');
  const traffic = await account.locator('#traffic').innerText();
  assert.match(traffic, /<auth[^>]*>…<\/auth>/);
  assert.match(traffic, /<success[^>]*>…<\/success>/);
});

test('an account that does not exist is told so', async () => {
  const page = await window();
  await page.fill('#login-jid', 'nobody@localhost');
  await page.fill('#login-password', 'x');
  await page.click('#login-submit');
  await page.locator('#login-error', { hasText: 'does not know' }).waitFor();
});
