// The scenarios with Strophe.js in headless Chromium, on a page of another origin; and what only a page can do: reload.
import './xhr.mjs';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { launch } from './chromium.mjs';
import { Client } from './client.js';
import { scenarios } from './scenarios.js';
import { accounts, serverNames, startAll, startPages, transport } from './servers.mjs';

let pages;
let browser;
before(async () => {
  pages = await startPages();
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await pages?.stop();
});

async function openPage() {
  const page = await browser.newPage();
  await page.goto(pages.url);
  await page.waitForFunction('window.ready');
  return page;
}

async function crossesOrigins(url) {
  const page = await openPage();
  assert.notEqual(new URL(pages.url).origin, new URL(url).origin);
  const preflights = [];
  const session = await page.context().newCDPSession(page);
  await session.send('Network.enable');
  session.on('Network.requestWillBeSent', ({ request }) => preflights.push(request.method));
  const [status, text] = await page.evaluate(async (address) => {
    const answer = await fetch(address, { method: 'POST', headers: { 'Content-Type': 'text/xml' }, body: 'no XML' });
    return [answer.status, await answer.text()];
  }, url);
  assert.equal(status, 200);
  assert.match(text, /condition='bad-request'/);
  assert.ok(preflights.includes('OPTIONS'), `methods seen: ${preflights}`);
  await page.close();
}

// The page goes while its request is held; what comes then belongs to the next page.
async function reloads(url) {
  const rounds = 5;
  const each = 4;
  const sender = new Client(url);
  assert.equal(await sender.connect(`${accounts.juliet.jid}/sender`, accounts.juliet.password), 'connected');
  const page = await openPage();
  const jid = await page.evaluate(async ([address, { jid: bare, password }]) => {
    window.client = new window.Client(address, { keepalive: true });
    if ((await window.client.connect(`${bare}/reload`, password)) !== 'connected') throw new Error('no login');
    window.client.presence();
    return window.client.jid;
  }, [url, accounts.romeo]);

  const expected = [];
  const found = [];
  for (let round = 0; round < rounds; ++round) {
    await page.reload();
    await page.waitForFunction('window.ready');
    for (let i = 0; i < each; ++i) {
      expected.push(`reload ${expected.length}`);
      sender.say(jid, expected.at(-1));
    }
    sender.connection.flush();
    found.push(...await page.evaluate(async ([address, count]) => {
      window.client = new window.Client(address, { keepalive: true });
      if ((await window.client.restore()) !== 'connected') throw new Error('not restored');
      return window.client.received('reload', count);
    }, [url, each]));
  }
  assert.deepEqual(found, expected);
  await page.evaluate(() => window.client.disconnect());
  await sender.disconnect();
  await page.close();
}

// Chromium cuts what is above 128 KiB into several frames.
async function sendsMuch(url) {
  const page = await openPage();
  const found = await page.evaluate(async ([address, users]) => {
    const [romeo, juliet] = [new window.Client(address), new window.Client(address)];
    for (const [client, { jid, password }] of [[romeo, users.romeo], [juliet, users.juliet]]) {
      if ((await client.connect(`${jid}/much`, password)) !== 'connected') throw new Error('no login');
      client.presence();
    }
    const texts = ['r', 'j'].map((tag) => tag + '0123456789'.repeat(20_000));
    romeo.say(juliet.jid, texts[0]);
    juliet.say(romeo.jid, texts[1]);
    const got = [await juliet.received('r', 1), await romeo.received('j', 1)];
    await Promise.all([romeo.disconnect(), juliet.disconnect()]);
    return got.map(([text], index) => text === texts[index]);
  }, [url, accounts]);
  assert.deepEqual(found, [true, true]);
  await page.close();
}

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(() => servers?.stop());

    let number = 0;
    for (const name of Object.keys(scenarios))
      test(name, async () => {
        const page = await openPage();
        const setup = { url: servers.boshd.url, openUrl: servers.open.url, accounts, tag: `c${++number}` };
        await page.evaluate(([scenario, given]) => window.scenarios[scenario](given), [name, setup]);
        await page.close();
      });

    if (transport === 'websocket') {
      test('messages of 200 KB each way', () => sendsMuch(servers.boshd.url));
      return;
    }
    test('the page may read answers of another origin after a preflight', () => crossesOrigins(servers.boshd.url));
    test('a page that reloads takes its session up again and misses nothing', () => reloads(servers.boshd.url));
  });
