// nginx, HAProxy and Apache in front of boshd, each as its file in etc/ has it: a browser chats through it, boshd sees
// through it, and it holds as many requests as there are sessions.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import https from 'node:https';
import { after, before, describe, test } from 'node:test';
import { startApacheHttps } from './apache.mjs';
import { conditionOf, openConnections, Session } from './bosh_session.mjs';
import { fingerprint, makeAuthority } from './certificates.mjs';
import { launch } from './chromium.mjs';
import { startCutProxy } from './cut_proxy.mjs';
import { startEchoServer } from './echo_server.mjs';
import { startHaproxyHttps } from './haproxy.mjs';
import { startNginxHttps } from './nginx.mjs';
import { stopEach } from './process.mjs';
import { startProsody } from './prosody.mjs';
import { accounts, startBoshd, startPages, transport } from './servers.mjs';

const bosh = transport === 'bosh';
const authority = makeAuthority();
const own = authority.sign('localhost');
const address = '127.9.8.6';  // of the clients

// What a client may say of itself.
const lies = { 'x-forwarded-host': 'evil.example', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http' };
const limits = '[limits]\nsessions_per_address = 0\nnew_sessions_per_second = 0\nrequests_per_second = 0\n';

// What starts each, in front of the address of a boshd that has these settings of its listener.
const fronts = {
  nginx: { start: startNginxHttps },
  apache: { start: startApacheHttps },
  haproxy: {
    listen: 'proxy_protocol = true\n',
    start: (boshd, certificate) => startHaproxyHttps([
      ['10.0.0.1:5280 check port 5281', boshd],
      [/ +server n2 .*\n/g, ''],
      [/ +(?:option httpchk|http-check) ?.*\n/g, ''],
    ], certificate),
  },
};

const started = [];
const keep = async (starting) => {
  started.push(await starting);
  return started.at(-1);
};
let prosody;
let echo;
let pages;
let browser;
before(async () => {
  prosody = await keep(startProsody(accounts));
  echo = await keep(startEchoServer());
  pages = await keep(startPages());
  browser = await launch(undefined, `--ignore-certificate-errors-spki-list=${fingerprint(own.certificate)}`);
});
after(async () => {
  await browser?.close();
  await stopEach(started.reverse());
});

// A page, and the protocols by which what it asks the port for is answered.
async function openPage(port) {
  const page = await browser.newPage();
  const protocols = new Set();
  const inspector = await page.context().newCDPSession(page);
  await inspector.send('Network.enable');
  inspector.on('Network.responseReceived', ({ response }) => {
    if (new URL(response.url).port === `${port}`) protocols.add(response.protocol);
  });
  await page.goto(pages.url);
  await page.waitForFunction('window.ready');
  return { page, protocols };
}

async function get(port, path) {
  const request = https.get({ host: 'localhost', port, path, headers: lies, ca: authority.certificate });
  const [response] = await once(request, 'response');
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return { status: response.statusCode, text };
}

for (const name of Object.keys(fronts))
  describe(`behind ${name}`, () => {
    const ours = [];
    let boshd;
    let network;
    let port;
    before(async () => {
      const { listen = '', start } = fronts[name];
      const settings = `${listen}${limits}[upstream]\nserver = "127.0.0.1:${prosody.port}"\ndomains = ["localhost"]\n`
        + `domain."echo.localhost".server = "127.0.0.1:${echo.port}"\n`;
      ours.push(boshd = await startBoshd(settings));
      ours.push(await start(new URL(boshd.url).host, own));
      ours.push(network = await startCutProxy(`http://127.0.0.1:${ours.at(-1).port}`, address));
      port = new URL(network.url).port;
    });
    after(() => stopEach(ours.reverse()));

    test('a browser chats, by HTTP/2 if by BOSH, and boshd knows its address', async () => {
      const { page, protocols } = await openPage(port);
      const path = new URL(boshd.url).pathname;
      const url = `${transport === 'websocket' ? 'wss' : 'https'}://localhost:${port}${path}`;
      const talks = ['200 messages in order each way', 'a message of 64 KB'];
      for (const [number, talk] of talks.entries())
        await page.evaluate(([which, given]) => window.scenarios[which](given), [talk, { url, accounts, tag: `f${number}` }]);
      await page.close();
      if (bosh) assert.deepEqual([...protocols], ['h2']);
      const end = new RegExp(`reason=client-terminated .* client=${address} .*transport=${transport}`);
      await boshd.logged('end of all sessions', (log) => log.split(end).length === 2 * talks.length + 1);
    });

    test('clients find it by its host metadata', { skip: !bosh }, async () => {
      const { status, text } = await get(port, '/.well-known/host-meta.json');
      assert.equal(status, 200);
      const addresses = JSON.parse(text).links.map(({ href }) => href.replace(/^(\w+:\/\/localhost)(?::\d+)?/, '$1'));
      assert.deepEqual(addresses.sort(), ['https://localhost/http-bind', 'wss://localhost/xmpp-websocket']);
      assert.equal((await get(port, '/.well-known/host-meta')).status, 200);
    });

    test('a hundred sessions wait, each can speak at the same time, and is whose connection it is', { skip: !bosh }, async () => {
      const connections = openConnections({ port, headers: lies, http2: 100, room: 3 });
      try {
        const sessions = await Promise.all([...Array(100)].map(() => new Session(connections, 'echo.localhost').begin()));
        const held = sessions.map((session) => session.ask());
        const said = sessions.map((session) => session.ask('<message/>'));
        const answers = await Promise.all([...held, ...said]);
        assert.deepEqual(new Set(answers.map(conditionOf)), new Set([null]));
        await Promise.all(sessions.map((session) => session.end()));
      } finally {
        connections.stop();
      }
      const end = new RegExp(`reason=client-terminated .*domain=echo.localhost client=${address} `);
      await boshd.logged('end of all sessions', (log) => log.split(end).length === 101);
    });
  });
