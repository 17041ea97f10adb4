// Prebind: a program of its own logs in, and a client with Strophe.js goes on with the session by attach().
import './xhr.mjs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { Client } from './client.js';
import { accounts, serverNames, startAll, startPages } from './servers.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const { romeo: account } = accounts;

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

function prebind(...args) {
  const child = spawn(process.execPath, [file('prebind.mjs'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
  const session = new Promise((resolve, reject) => {
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (output.includes('\n')) resolve(JSON.parse(output.split('\n')[0]));
    });
    child.on('close', (code) => reject(new Error(`prebind.mjs ended with ${code}:\n${output}`)));
  });
  const ended = once(child, 'exit');
  return { session, ended, kill: () => child.kill('SIGKILL') && ended };
}

async function login(url, resource) {
  const client = new Client(url);
  assert.equal(await client.connect(`${accounts.juliet.jid}/${resource}`, accounts.juliet.password), 'connected');
  client.presence();
  return client;
}

// Attached clients, in Node and in a page.
const attach = {
  async Node(url, session) {
    const client = new Client(url);
    assert.equal(await client.attach(session), 'connected');
    return client;
  },

  async Chromium(url, session) {
    const page = await browser.newPage();
    await page.goto(pages.url);
    await page.waitForFunction('window.ready');
    const outcome = await page.evaluate(([address, handedOver]) => {
      window.client = new window.Client(address);
      return window.client.attach(handedOver);
    }, [url, session]);
    assert.equal(outcome, 'connected');
    const call = (name) => (...args) =>
      page.evaluate(([method, given]) => window.client[method](...given), [name, args]);
    return {
      presence: call('presence'), say: call('say'), received: call('received'),
      disconnect: async () => {
        await call('disconnect')();
        await page.close();
      },
    };
  },
};

async function talk(romeo, juliet, jid, tag) {
  await romeo.presence();
  await romeo.presence({ to: juliet.jid });
  await juliet.presenceFrom(jid, null);
  const texts = Array.from({ length: 20 }, (_, index) => `${tag} talk ${index}`);
  for (const text of texts) {
    await romeo.say(juliet.jid, text);
    juliet.say(jid, text);
  }
  assert.deepEqual(await juliet.received(`${tag} talk`, 20), texts);
  assert.deepEqual(await romeo.received(`${tag} talk`, 20), texts);
  await romeo.disconnect();
  await juliet.presenceFrom(jid, 'unavailable');
  await juliet.disconnect();
}

async function handOver(url, where, tag) {
  const juliet = await login(url, tag);
  const first = prebind(url, `${account.jid}/${tag}`, account.password);
  const session = await first.session;
  await first.ended;
  assert.equal(session.jid, `${account.jid}/${tag}`);
  await talk(await attach[where](url, session), juliet, session.jid, tag);
}

// What comes while nobody has the session belongs to the one who attaches.
async function killed(url, where, tag) {
  const juliet = await login(url, tag);
  const first = prebind(url, `${account.jid}/${tag}`, account.password, juliet.jid);
  const session = await first.session;
  await juliet.received('I am there', 1);
  await first.kill();
  const texts = Array.from({ length: 4 }, (_, index) => `${tag} ${index}`);
  for (const text of texts) juliet.say(session.jid, text);
  const romeo = await attach[where](url, session);
  assert.deepEqual(await romeo.received(tag, 4), texts);
  await talk(romeo, juliet, session.jid, tag);
}

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(() => servers?.stop());

    for (const where of Object.keys(attach)) {
      test(`a client in ${where} goes on with a session that was handed over`,
        () => handOver(servers.boshd.url, where, `h${where}`));
      test(`a client in ${where} goes on with a session whose first client was killed`,
        () => killed(servers.boshd.url, where, `k${where}`));
    }
  });
