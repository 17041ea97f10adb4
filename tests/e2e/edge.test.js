// boshd at the edge: HAProxy, nginx or nobody in front of it, behind it a server that insists on TLS. Strophe.js in
// Chromium chats by HTTPS or WSS, and the server learns from where.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fingerprint, makeAuthority } from './certificates.mjs';
import { launch } from './chromium.mjs';
import { startCutProxy } from './cut_proxy.mjs';
import { startHaproxy } from './haproxy.mjs';
import { startNginxHttps } from './nginx.mjs';
import { Directory, stopEach } from './process.mjs';
import { accounts, serverNames, startBoshd, startPages, xmppServers } from './servers.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

// The sessions of each.
const talks = { 'messages one by one, each after its echo': 2, 'a message of 64 KB': 2, 'login with ANONYMOUS': 1 };

// A server has one for each domain, and boshd takes no other.
const authority = makeAuthority();
const domains = ['localhost', 'anon.localhost'];
const certificates = Object.fromEntries(domains.map((domain) => [domain, authority.sign(domain)]));
const own = authority.sign('localhost');
const directory = new Directory('boshd-edge');
const chain = directory.file('chain.pem', own.certificate);
const key = directory.file('key.pem', own.key);
const ca = directory.file('ca.pem', authority.certificate);
const otherCa = directory.file('other-ca.pem', makeAuthority().certificate);

const https = (more = '') => `tls = true\n${more}[[tls.certificate]]\nchain = "${chain}"\nkey = "${key}"\n`;
const upstream = (server, more = '', trusted = ca) => `[upstream]
server = "${server}"
domains = ["localhost", "anon.localhost", "conference.localhost"]
tls = "required"
ca = "${trusted}"
${more}`;

let pages;
let browser;
before(async () => {
  pages = await startPages();
  browser = await launch(undefined, `--ignore-certificate-errors-spki-list=${fingerprint(own.certificate)}`);
});
after(async () => {
  await browser?.close();
  await pages?.stop();
  directory.remove();
});

// How `use` goes with a page, the secure address of a boshd behind what `startFront` starts, if anything, and that
// boshd. The browser comes there from `address`.
async function visit({ settings, startFront, address }, use) {
  const started = [];
  const keep = async (starting) => {
    started.push(await starting);
    return started.at(-1);
  };
  try {
    const boshd = await keep(startBoshd(settings));
    const { host } = new URL(boshd.url);
    const front = startFront ? `127.0.0.1:${(await keep(startFront(host))).port}` : host;
    const network = await keep(startCutProxy(`http://${front}`, address));
    const url = boshd.url.replace(/^(\w+):\/\/[^/]+/, `$1s://localhost:${new URL(network.url).port}`);
    const page = await browser.newPage();
    await page.goto(pages.url);
    await page.waitForFunction('window.ready');
    await use(page, url, boshd);
    await page.close();
  } finally {
    await stopEach(started.reverse());
  }
}

const chat = (edge) => visit(edge, async (page, url, boshd) => {
  let sessions = 0;
  for (const [name, count] of Object.entries(talks)) {
    const setup = { url, accounts, tag: `e${sessions += count}` };
    await page.evaluate(([talk, given]) => window.scenarios[talk](given), [name, setup]);
  }
  const end = new RegExp(`reason=client-terminated .* client=${edge.address} `);
  await boshd.logged('end of all sessions', (log) => log.split(end).length > sessions);
});

const isRefused = (settings, jid) => visit({ settings: https() + settings, address: '127.0.0.1' },
  async (page, url, boshd) => {
    const outcome = await page.evaluate(([to, who]) => new window.Client(to).connect(who, 'secret'), [url, jid]);
    assert.deepEqual(outcome, { status: 'CONNFAIL', condition: 'remote-connection-failed' });
    await boshd.logged('reason', (log) => log.includes(' reason=server-tls-failed '));
  });

async function sawBoth(server, address) {
  for (const { jid } of Object.values(accounts)) await server.sawLogin(jid, address);
}

for (const name of serverNames)
  describe(`with ${name}`, () => {
    let server;
    before(async () => (server = await xmppServers[name](accounts, { certificates })));
    after(() => server?.stop());

    test('U_119 U_124 D_101 the client that HAProxy names is the one that the server knows', async () => {
      const address = '127.9.8.1';
      const to = upstream(`127.0.0.1:${server.proxied.port}`, 'proxy_protocol = "v2"\n');
      await chat({ settings: https('proxy_protocol = true\n') + to, startFront: startHaproxy, address });
      await sawBoth(server, address);
    });

    test('U_052 U_056 U_109 U_123 D_095 the client that nginx names is the one that the server knows', async () => {
      const address = '127.9.8.2';
      const settings = upstream(`tls://127.0.0.1:${server.proxied.tlsPort}`, 'proxy_protocol = "v1"\n');
      await chat({ settings, startFront: (boshd) => startNginxHttps(boshd, own), address });
      await sawBoth(server, address);
    });

    test('U_034 U_042 boshd alone speaks TLS on both sides, with the server by STARTTLS first', async () => {
      await chat({ settings: https() + upstream(`127.0.0.1:${server.port}`), address: '127.9.8.3' });
      await sawBoth(server, '127.0.0.1');
    });

    test('U_045 a server on this machine that insists on TLS needs no setting', async () => {
      const address = '127.9.8.4';
      const settings = `[upstream]\nserver = "127.0.0.1:${server.port}"\n`;
      await chat({ settings: https() + settings, address });
    });

    test('U_047 U_057 a server whose certificate nobody here vouches for is not spoken to', () =>
      isRefused(upstream(`127.0.0.1:${server.port}`, '', otherCa), 'romeo@localhost'));

    test('U_058 a certificate for another domain than that of the client is refused', () =>
      isRefused(upstream(`tls://127.0.0.1:${server.tlsPort}`), 'romeo@conference.localhost'));
  });
