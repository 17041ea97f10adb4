// stanza.js in Node. Unlike Strophe.js it sends each stanza in a body of its own, and uses stream management over BOSH.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { accounts, serverNames, startAll } from './servers.mjs';
import { StanzaClient } from './stanza_client.mjs';

async function login(url, account, resource, options) {
  const client = new StanzaClient(url, account, resource, options);
  await client.connect();
  client.xmpp.sendPresence();
  await client.presenceFrom(client.jid, undefined);
  return client;
}

async function couple(url, tag, talk) {
  const romeo = await login(url, accounts.romeo, `${tag}-r`);
  const juliet = await login(url, accounts.juliet, `${tag}-j`);
  await talk(romeo, juliet);
  for (const client of [romeo, juliet]) {
    await client.disconnect();
    assert.equal(client.condition, undefined);
  }
}

const texts = (tag, count) => Array.from({ length: count }, (_, index) => `${tag} ${index} <&>"' ü😀`);

const scenarios = {
  async 'login, and an end that the other hears of'(url, tag) {
    const juliet = await login(url, accounts.juliet, `${tag}-j`);
    const romeo = await login(url, accounts.romeo, `${tag}-r`, { useStreamManagement: false });
    romeo.xmpp.sendPresence({ to: juliet.jid });
    await juliet.presenceFrom(romeo.jid, undefined);
    await romeo.disconnect();
    await romeo.until('disconnected', () => romeo.events.includes('disconnected'));
    await juliet.presenceFrom(romeo.jid, 'unavailable');
    await juliet.disconnect();
  },

  async 'a wrong password is refused, and the right one works then'(url, tag) {
    const { jid } = accounts.romeo;
    await assert.rejects(login(url, { jid, password: 'wrong' }, tag), /auth:failed/);
    await (await login(url, accounts.romeo, tag)).disconnect();
  },

  async '20 messages in order each way'(url, tag) {
    await couple(url, tag, async (romeo, juliet) => {
      for (const text of texts(tag, 20)) {
        romeo.say(juliet.jid, text);
        juliet.say(romeo.jid, text);
      }
      assert.deepEqual(await juliet.received(tag, 20), texts(tag, 20));
      assert.deepEqual(await romeo.received(tag, 20), texts(tag, 20));
    });
  },

  async 'a room'(url, tag) {
    const room = `${tag}@conference.localhost`;
    await couple(url, tag, async (romeo, juliet) => {
      await romeo.xmpp.joinRoom(room, 'romeo');
      await romeo.xmpp.configureRoom(room);
      await juliet.xmpp.joinRoom(room, 'juliet');
      await romeo.presenceFrom(`${room}/juliet`, undefined);
      romeo.say(room, `${tag} by romeo`, 'groupchat');
      await juliet.received(tag, 1);
      juliet.say(room, `${tag} by juliet`, 'groupchat');
      for (const client of [romeo, juliet])
        assert.deepEqual(await client.received(tag, 2), [`${tag} by romeo`, `${tag} by juliet`]);
      await juliet.xmpp.leaveRoom(room);
      await romeo.presenceFrom(`${room}/juliet`, 'unavailable');
    });
  },

  async 'stream management: both acknowledge'(url, tag) {
    await couple(url, tag, async (romeo, juliet) => {
      assert.match(romeo.wire.outgoing, /<enable [^>]*xmlns="urn:xmpp:sm:3"/);
      assert.match(romeo.wire.incoming, /<enabled [^>]*xmlns='urn:xmpp:sm:3'/);
      for (const text of texts(tag, 20)) romeo.say(juliet.jid, text);
      assert.deepEqual(await juliet.received(tag, 20), texts(tag, 20));
      await romeo.acknowledged(20);
      assert.match(juliet.wire.incoming, /<r [^>]*xmlns='urn:xmpp:sm:3'/);
      await juliet.until('acknowledgement', () => /<a [^>]*h="\d+"/.test(juliet.wire.outgoing));
    });
  },

  async 'stream management: another client takes up the stream and gets what the first has not'(url, tag) {
    const [before, meanwhile, then] = ['before', 'meanwhile', 'then'].map((time) => texts(`${tag} ${time}`, 5));
    const romeo = await login(url, accounts.romeo, `${tag}-r`);
    const juliet = await login(url, accounts.juliet, `${tag}-j`);
    for (const text of before) juliet.say(romeo.jid, text);
    await romeo.received(tag, 5);
    romeo.vanish();
    for (const text of meanwhile) juliet.say(romeo.jid, text);
    await juliet.acknowledged(10);

    const heir = new StanzaClient(url, accounts.romeo, `${tag}-heir`);
    const { id, handled, lastAck, unacked } = romeo.xmpp.sm;
    heir.xmpp.sm.load({ id, jid: romeo.jid, handled, lastAck, unacked });
    await heir.connect();
    assert.ok(heir.events.includes('stream:management:resumed'));
    for (const text of then) juliet.say(romeo.jid, text);
    assert.deepEqual(await heir.received(tag, 10), [...meanwhile, ...then]);
    await heir.disconnect();
    await juliet.disconnect();
  },
};

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(() => servers?.stop());

    let number = 0;
    for (const [name, run] of Object.entries(scenarios)) test(name, () => run(servers.boshd.url, `s${++number}`));
  });
