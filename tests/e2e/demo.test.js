// The demo as a newcomer meets it: one command, one address, two browser windows that chat.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';

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

const heard = (page, text) => page.locator('#messages .message:not(.mine) .text', { hasText: text }).waitFor();

// For the README: the room, with some talk in it.
async function picture(romeo, juliet, path) {
  for (const page of [romeo, juliet]) await page.locator('#conversations button', { hasText: 'lobby' }).click();
  const talk = [
    [juliet, 'How does the browser get to the server at all? It can only do HTTP.'],
    [romeo, 'It always has a request open. boshd answers it the moment the server says something.'],
    [juliet, 'And if I reload the page, or the train goes into a tunnel?'],
    [romeo, 'Then the same request comes once more and gets the same answer. Nothing is lost, nothing comes twice 🚆'],
    [juliet, 'I see it on the right: every body, as it travels.'],
  ];
  for (const [page, text] of talk) {
    await say(page, text);
    await heard(page === romeo ? juliet : romeo, text);
  }
  await romeo.screenshot({ path });
  await romeo.locator('#conversations button', { hasText: 'juliet' }).click();
}

test('two windows chat in the room and one to one', async () => {
  const romeo = await window();
  await romeo.click('[data-account="romeo@localhost"]');
  const juliet = await window();
  await juliet.click('[data-account="juliet@localhost"]');
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

  assert.match(await romeo.locator('#traffic').innerText(), /<body/);
  if (process.env.SCREENSHOT) await picture(romeo, juliet, process.env.SCREENSHOT);

  await juliet.reload();
  await say(romeo, 'Are you still there?');
  await juliet.locator('#conversations button', { hasText: 'romeo' }).click();
  await heard(juliet, 'Are you still there?');

  await romeo.click('#logout');
  await romeo.locator('#login').waitFor();
  await juliet.locator('#occupants button', { hasText: 'romeo' }).waitFor({ state: 'detached' });
});

test('a guest logs in, and nobody sees secrets in the traffic', async () => {
  const guest = await window();
  await guest.click('#login-anonymous');
  await guest.locator('#occupants button', { hasText: 'guest-' }).waitFor();
  const account = await window();
  await account.click('[data-account="romeo@localhost"]');
  await account.locator('#status[data-state=online]').waitFor();
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
