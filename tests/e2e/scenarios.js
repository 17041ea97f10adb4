// What a chat client must be able to do through boshd. Each runs in Node and in Chromium: a function of the set-up
// { url, openUrl, accounts, tag }, in which `openUrl` leads to a boshd that knows no list of domains.
import { Client } from './client.js';

function equal(found, expected, what) {
  const [a, b] = [JSON.stringify(found), JSON.stringify(expected)];
  if (a !== b) throw new Error(`${what}: found ${a.slice(0, 300)}, expected ${b.slice(0, 300)}`);
}

async function login(url, { jid, password }, resource) {
  const client = new Client(url);
  equal(await client.connect(`${jid}/${resource}`, password), 'connected', `login of ${jid}`);
  client.presence();
  return client;
}

// Two who can talk: each knows the other's full JID, and both are ended afterwards.
async function couple({ url, accounts, tag }, talk) {
  const romeo = await login(url, accounts.romeo, `${tag}-r`);
  const juliet = await login(url, accounts.juliet, `${tag}-j`);
  try {
    await talk(romeo, juliet);
  } finally {
    await Promise.all([romeo.disconnect(), juliet.disconnect()]);
  }
}

const numbers = (count) => [...Array(count).keys()];

export const scenarios = {
  async 'login with SCRAM'({ url, accounts, tag }) {
    const client = await login(url, accounts.romeo, tag);
    equal(client.mechanism?.startsWith('SCRAM-SHA-'), true, `mechanism ${client.mechanism}`);
    await client.disconnect();
  },

  async 'login with ANONYMOUS'({ url }) {
    const client = new Client(url);
    equal(await client.connect('anon.localhost'), 'connected', 'login');
    equal(/@anon\.localhost\//.test(client.jid), true, `jid ${client.jid}`);
    await client.disconnect();
  },

  async 'presence reaches the other, and its end does'(setup) {
    await couple(setup, async (romeo, juliet) => {
      romeo.presence({ to: juliet.jid });
      await juliet.presenceFrom(romeo.jid, null);
      await romeo.disconnect();
      equal(romeo.openRequests(), 0, 'requests still open after the end');
      await juliet.presenceFrom(romeo.jid, 'unavailable');
    });
  },

  async 'roster: what was added is there'({ url, accounts, tag }) {
    const client = await login(url, accounts.juliet, tag);
    const contact = `${tag}@localhost`;
    await client.iq({ type: 'set' }, 'jabber:iq:roster', (q) => q.c('item', { jid: contact, name: 'A & <B> "C" ü😀' }));
    const roster = await client.iq({ type: 'get' }, 'jabber:iq:roster');
    const item = [...roster.getElementsByTagName('item')].find((found) => found.getAttribute('jid') === contact);
    equal(item?.getAttribute('name'), 'A & <B> "C" ü😀', 'name in the roster');
    await client.iq({ type: 'set' }, 'jabber:iq:roster', (q) => q.c('item', { jid: contact, subscription: 'remove' }));
    await client.disconnect();
  },

  async '200 messages in order each way'(setup) {
    await couple(setup, async (romeo, juliet) => {
      const texts = numbers(200).map((number) => `${setup.tag} ${number}`);
      for (const [index, text] of texts.entries()) {
        romeo.say(juliet.jid, text);
        juliet.say(romeo.jid, text);
        if (index % 10 === 9) await new Promise((next) => setTimeout(next));  // several requests, not one
      }
      equal(await juliet.received(setup.tag, 200), texts, 'what juliet got');
      equal(await romeo.received(setup.tag, 200), texts, 'what romeo got');
    });
  },

  async 'messages one by one, each after its echo'(setup) {
    await couple(setup, async (romeo, juliet) => {
      juliet.onMessage = ({ from, text }) => juliet.say(from, text);
      for (const number of numbers(20)) {
        romeo.say(juliet.jid, `${setup.tag} ${number}`);
        romeo.connection.flush();
        await romeo.received(setup.tag, number + 1);
      }
    });
  },

  async 'a message of 64 KB'(setup) {
    await couple(setup, async (romeo, juliet) => {
      const text = `${setup.tag} ${'0123456789abcdef'.repeat(4096)}`;
      romeo.say(juliet.jid, text);
      equal(await juliet.received(setup.tag, 1), [text], 'text');
    });
  },

  async 'emoji and what XML escapes arrive as they were sent'(setup) {
    await couple(setup, async (romeo, juliet) => {
      const texts = ['<b>&amp;"\'</b>', ']]>', '&lt;', '😀👩‍👩‍👧‍👦𝒳', 'üß漢字\u00a0', 'line\nline\ttab', '  blanks  ', '\ue000'];
      for (const text of texts) romeo.say(juliet.jid, setup.tag + text);
      equal(await juliet.received(setup.tag, texts.length), texts.map((text) => setup.tag + text), 'texts');
    });
  },

  async 'a wrong password is refused, and the right one works then'({ url, accounts, tag }) {
    const client = new Client(url);
    const outcome = await client.connect(`${accounts.romeo.jid}/${tag}`, 'wrong');
    equal(outcome.status, 'AUTHFAIL', 'outcome');
    await client.disconnect();
    await (await login(url, accounts.romeo, tag)).disconnect();
  },

  async 'an unknown domain is refused at once'({ url }) {
    const outcome = await new Client(url).connect('romeo@unknown.example', 'x');
    equal(outcome, { status: 'CONNFAIL', condition: 'host-unknown' }, 'outcome');
  },

  async 'an unknown domain that boshd passes on is refused by the server'({ openUrl }) {
    const outcome = await new Client(openUrl).connect('romeo@unknown.example', 'x');
    const condition = openUrl.startsWith('ws') ? 'host-unknown' : 'remote-stream-error';
    equal(outcome, { status: 'CONNFAIL', condition }, 'outcome');
  },

  async 'a client that disconnected connects again'({ url, accounts, tag }) {
    const client = new Client(url);
    for (const round of numbers(3)) {
      equal(await client.connect(`${accounts.romeo.jid}/${tag}`, accounts.romeo.password), 'connected', `round ${round}`);
      client.presence();
      await client.disconnect();
      client.connection.reset();
    }
  },
};
