// xmpp.js in Node, over WebSocket: it speaks no BOSH.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import './xhr.mjs';  // WebSocket
import { client, xml } from '@xmpp/client';
import { startCutProxy } from './cut_proxy.mjs';
import { accounts, serverNames, startAll } from './servers.mjs';
import { Watch } from './watch.js';

class XmppJs {
  #watch = new Watch();
  messages = [];
  events = [];

  constructor(service, { jid, password }, resource) {
    const [username, domain] = jid.split('@');
    this.xmpp = client({ service, domain, resource, username, password });
    this.xmpp.on('stanza', (stanza) => {
      if (stanza.is('message')) this.messages.push(stanza.getChildText('body'));
      this.#watch.changed();
    });
    this.xmpp.on('element', () => setImmediate(() => this.#watch.changed()));
    const see = (source, name) =>
      source.on(name, () => {
        this.events.push(name);
        this.#watch.changed();
      });
    for (const name of ['online', 'offline', 'disconnect']) see(this.xmpp, name);
    see(this.xmpp.streamManagement, 'resumed');
    this.xmpp.on('error', () => {});  // a connection that is cut is one
  }

  async connect() {
    this.jid = (await this.xmpp.start()).toString();
    // xmpp.js 0.14 counts stanzas from when it has made sense of <enabled/>, a moment too late for those behind it.
    await this.until('stream management', () => this.xmpp.streamManagement.enabled);
    await this.xmpp.send(xml('presence'));
  }
  say(to, text) {
    return this.xmpp.send(xml('message', { to, type: 'chat' }, xml('body', {}, text)));
  }
  until(what, done) {
    return this.#watch.until(what, done, () => `${this.jid}: ${this.events}`);
  }
  async received(count) {
    await this.until(`${count} messages`, () => this.messages.length >= count);
    return this.messages;
  }
}

async function couple(urls, tag, talk) {
  const users = [accounts.romeo, accounts.juliet].map((account, index) =>
    new XmppJs(urls[index], account, `${tag}-${index}`));
  for (const user of users) await user.connect();
  await talk(...users);
  for (const user of users) {
    await user.xmpp.stop();
    assert.ok(user.events.includes('offline'));
  }
}

const texts = (tag, count) => Array.from({ length: count }, (_, index) => `${tag} ${index} <&>"' ü😀`);

const scenarios = {
  async '50 messages in order each way'({ url }, tag) {
    await couple([url, url], tag, async (romeo, juliet) => {
      for (const text of texts(tag, 50)) {
        romeo.say(juliet.jid, text);
        juliet.say(romeo.jid, text);
      }
      assert.deepEqual(await juliet.received(50), texts(tag, 50));
      assert.deepEqual(await romeo.received(50), texts(tag, 50));
    });
  },

  async 'a wrong password is refused'({ url }, tag) {
    const user = new XmppJs(url, { ...accounts.romeo, password: 'wrong' }, tag);
    await assert.rejects(user.connect(), /not-authorized/);
    await user.xmpp.stop();
  },

  async 'a connection that is cut is taken up again and nothing is missing'({ url }, tag) {
    const proxy = await startCutProxy(url);
    try {
      await couple([proxy.url, url], tag, async (romeo, juliet) => {
        await juliet.say(romeo.jid, 'before');
        await romeo.received(1);
        const disconnected = romeo.until('disconnect', () => romeo.events.includes('disconnect'));
        proxy.cut();
        await disconnected;
        await juliet.say(romeo.jid, 'meanwhile');
        await romeo.until('resumption', () => romeo.events.includes('resumed'));
        await juliet.say(romeo.jid, 'then');
        assert.deepEqual(await romeo.received(3), ['before', 'meanwhile', 'then']);
      });
    } finally {
      await proxy.stop();
    }
  },
};

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(async () => {
      await servers?.stop();
      assert.match(servers.boshd.log, /session-end reason=client-terminated .* transport=websocket/);
    });

    let number = 0;
    for (const [name, run] of Object.entries(scenarios)) test(name, () => run(servers.boshd, `x${++number}`));
  });
