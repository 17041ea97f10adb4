// What stands in a client's URL reaches a module of Prosody before the login, by BOSH and by WebSocket.
import './xhr.mjs';
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Client } from './client.js';
import { stopEach } from './process.mjs';
import { startProsody } from './prosody.mjs';
import { accounts, startBoshd } from './servers.mjs';

// Lets nobody in without the right token.
const gate = `
  module:hook("boshd-query", function (event)
    module:log("info", "asked for room '%s'", event.query.room);
  end);
  module:hook("authentication-success", function (event)
    module:log("info", "let in with token '%s', previd '%s'", event.session.auth_token, event.session.previd);
  end);
`;

test('parameters of the URL reach Prosody before the login', async () => {
  const started = [];
  try {
    const prosody = await startProsody(accounts, { modules: { boshd_query: null, gate } });
    started.unshift(prosody);
    const boshd = await startBoshd(`[upstream]\nserver = "127.0.0.1:${prosody.port}"\nquery = ["room", "token"]\n`);
    started.unshift(boshd);
    const url = `${boshd.url}?room=${encodeURIComponent('Caf\u00e9 & <more>')}&previd=no&token=x.y%2Fz`;
    const client = new Client(url);
    assert.equal(await client.connect(accounts.romeo.jid, accounts.romeo.password), 'connected');
    await prosody.logged('the room', (log) => log.includes("asked for room 'Caf\u00e9 & <more>'"));
    await prosody.logged('the token', (log) => log.includes("let in with token 'x.y/z', previd '(nil)'"));
    await client.disconnect();
  } finally {
    await stopEach(started);
  }
});
