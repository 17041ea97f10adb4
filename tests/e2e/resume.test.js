// Strophe.js' own stream management (XEP-0198), which it has over WebSocket: a connection that is cut loses nothing.
import './xhr.mjs';
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Client } from './client.js';
import { startCutProxy } from './cut_proxy.mjs';
import { accounts, serverNames, startAll } from './servers.mjs';

async function login(url, account, resource) {
  const client = new Client(url, { enableStreamManagement: true });
  assert.equal(await client.connect(`${account.jid}/${resource}`, account.password), 'connected');
  client.presence();
  return client;
}

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(async () => {
      await servers?.stop();
      const reasons = servers.boshd.log.match(/session-end reason=\S+/g).map((line) => line.split('=')[1]);
      assert.deepEqual(reasons.sort(), [...Array(5).fill('client-lost'), 'client-terminated', 'client-terminated']);
    });

    test('a stream is taken up again, five times', async () => {
      const proxy = await startCutProxy(servers.boshd.url);
      const romeo = await login(proxy.url, accounts.romeo, 'cut');
      const juliet = await login(servers.boshd.url, accounts.juliet, 'stays');
      const { jid } = romeo;
      const expected = [];
      for (let round = 0; round < 5; ++round) {
        expected.push(`m before ${round}`);
        juliet.say(jid, expected.at(-1));
        await romeo.received('m', expected.length);
        proxy.cut();
        await romeo.end();
        expected.push(`m meanwhile ${round}`);
        juliet.say(jid, expected.at(-1));
        assert.equal(await romeo.connect(jid, accounts.romeo.password), 'connected');
        assert.ok(romeo.connection.sm.resumed);
        assert.equal(romeo.jid, jid);
        assert.deepEqual(await romeo.received('m', expected.length), expected);
        romeo.say(juliet.jid, `answer ${round}`);
        assert.equal((await juliet.received('answer', round + 1)).length, round + 1);
      }
      await romeo.disconnect();
      await juliet.disconnect();
      await servers.boshd.logged('end of all sessions', (log) => log.split('session-end').length > 7);
      await proxy.stop();
    });
  });
