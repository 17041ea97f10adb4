// Converse.js in headless Chromium, each user with a browser context of their own.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { startCutProxy } from './cut_proxy.mjs';
import { accounts, serverNames, startAll, startPages, transport } from './servers.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

let pages;
let browser;
before(async () => {
  pages = await startPages({
    '/': file('converse.html'),
    '/converse/': file('node_modules/converse.js/dist/'),
  });
  browser = await launch();
});
after(async () => {
  await browser?.close();
  await pages?.stop();
});

async function login(url, { jid, password }) {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(`${pages.url}/?${transport === 'bosh' ? 'bosh_service_url' : 'websocket_url'}=${encodeURIComponent(url)}`);
  await page.fill('input[name=jid]', jid);
  await page.fill('input[name=password]', password);
  await page.press('input[name=password]', 'Enter');
  await page.locator('converse-user-profile').waitFor();
  return page;
}

async function logout(page) {
  await page.evaluate(() => window.api.user.logout());
  await page.locator('input[name=password]').waitFor();
  await page.context().close();
}

async function couple(url, talk) {
  const romeo = await login(url, accounts.romeo);
  const juliet = await login(url, accounts.juliet);
  await talk(romeo, juliet);
  await logout(romeo);
  await logout(juliet);
}

const input = (page) => page.locator('.chat-textarea').locator('visible=true');

async function openChat(page, { jid }) {
  await page.evaluate((peer) => void window.api.chats.open(peer, {}, true), jid);
  await input(page).waitFor();
}

async function openRoom(page, room, nick) {
  await page.evaluate(([jid, name]) => void window.api.rooms.open(jid, { nick: name }, true), [room, nick]);
  await input(page).waitFor();
}

async function say(page, text) {
  await input(page).fill(text);
  await input(page).press('Enter');
}

const messages = (page) => page.locator('.chat-msg__text').locator('visible=true');
const seen = (page, text) => messages(page).getByText(text, { exact: true }).waitFor();

async function talkBothWays(romeo, juliet) {
  const expected = [];
  for (const [index, text] of ['<b>&amp;"\'</b>', 'üß漢字', 'wherefore art thou', 'a  b', '7'].entries())
    for (const [speaker, listener] of [[romeo, juliet], [juliet, romeo]]) {
      expected.push(`${index} ${text}${speaker === romeo ? '.' : '!'}`);
      await say(speaker, expected.at(-1));
      await seen(listener, expected.at(-1));
    }
  for (const page of [romeo, juliet]) assert.deepEqual(await messages(page).allInnerTexts(), expected);
}

const scenarios = {
  async 'one to one'({ url }) {
    await couple(url, async (romeo, juliet) => {
      await openChat(romeo, accounts.juliet);
      await openChat(juliet, accounts.romeo);
      await talkBothWays(romeo, juliet);
    });
  },
};

const boshScenarios = {
  // What is said while no page is there belongs to the next one.
  async 'a page that reloads keeps its session and misses nothing'(boshd) {
    await couple(boshd.url, async (romeo, juliet) => {
      await openChat(romeo, accounts.juliet);
      await openChat(juliet, accounts.romeo);
      const jid = () => romeo.evaluate(() => window.api.connection.get().jid);
      const before = await jid();
      const ends = () => boshd.log.split('session-end').length;
      const endsBefore = ends();
      const expected = [];
      for (let round = 0; round < 5; ++round) {
        expected.push(`round ${round}`, `answer ${round}`);
        await romeo.reload({ waitUntil: 'commit' });
        await say(juliet, expected.at(-2));
        await seen(romeo, expected.at(-2));
        await say(romeo, expected.at(-1));
        await seen(juliet, expected.at(-1));
      }
      for (const page of [romeo, juliet]) assert.deepEqual(await messages(page).allInnerTexts(), expected);
      assert.equal(await jid(), before);
      assert.equal(ends(), endsBefore, boshd.log);
    });
  },
};

// Each page and each connection has a session of its own at boshd. At the server it is one stream, resumed, and what was
// said meanwhile arrives. Once only: Converse.js 14 doesn't resume a second time.
async function resumes(boshd, interrupt, then = () => {}) {
  const proxy = await startCutProxy(boshd.url);
  try {
    const romeo = await login(proxy.url, accounts.romeo);
    const juliet = await login(boshd.url, accounts.juliet);
    const heard = [];
    romeo.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(payload)));
    await openChat(romeo, accounts.juliet);
    await openChat(juliet, accounts.romeo);
    const talk = async (speaker, listener, text) => {
      await say(speaker, text);
      await seen(listener, text);
    };
    await talk(juliet, romeo, 'before');
    await interrupt(romeo, proxy);
    await talk(juliet, romeo, 'meanwhile');
    assert.ok(heard.some((message) => message.startsWith('<resumed ')));
    assert.match(boshd.log, /session-end reason=client-lost/);
    await then(() => talk(romeo, juliet, 'then'));
    await logout(romeo);
    await logout(juliet);
  } finally {
    await proxy.stop();
  }
}

const webScenarios = {
  'a connection that is cut is taken up again': (boshd) =>
    resumes(boshd, (page, proxy) => proxy.cut(), (answer) => answer()),
  // After a reload Converse.js 14 gives itself a resource that the resumed stream doesn't have, and a strict server ends
  // the stream when it speaks under that name.
  'a page that reloads takes its stream up again': (boshd) => resumes(boshd, (page) => page.reload()),
};

// Whoever was in a room enters it again with the next login, and sees it instead of the other.
const lastScenarios = {
  async 'a room'({ url }) {
    await couple(url, async (romeo, juliet) => {
      await openRoom(romeo, 'verona@conference.localhost', 'romeo');
      await openRoom(juliet, 'verona@conference.localhost', 'juliet');
      await talkBothWays(romeo, juliet);
    });
  },
};

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(() => servers?.stop());

    const all = { ...scenarios, ...(transport === 'bosh' ? boshScenarios : webScenarios), ...lastScenarios };
    for (const [name, run] of Object.entries(all)) test(name, () => run(servers.boshd));
  });
