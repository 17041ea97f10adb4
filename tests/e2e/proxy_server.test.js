// Prosody and ejabberd as etc/prosody and etc/ejabberd have them: boshd tells them by the PROXY protocol from where each
// browser comes.
import './xhr.mjs';
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { after, before, describe, test } from 'node:test';
import { Client } from './client.js';
import { startCutProxy } from './cut_proxy.mjs';
import { stopEach } from './process.mjs';
import { startProsody } from './prosody.mjs';
import { accounts, serverNames, startBoshd, xmppServers } from './servers.mjs';
import { boshdSettings, changed } from './shipped.mjs';

const files = { prosody: 'prosody/boshd.cfg.lua', ejabberd: 'ejabberd/boshd.yml' };

for (const name of serverNames)
  describe(`with ${name}`, () => {
    let server;
    before(async () => (server = await xmppServers[name](accounts)));
    after(() => server?.stop());

    for (const [version, address] of [['v1', '127.9.8.7'], ['v2', '127.9.8.8']])
      test(`the server knows the browser's address by version ${version}`, async () => {
        const started = [];
        try {
          const boshd = await startBoshd(changed(boshdSettings(files[name]), [
            ['"127.0.0.1:15222"', `"127.0.0.1:${server.proxied.port}"`], ['"v2"', `"${version}"`],
          ]));
          started.unshift(boshd);
          started.unshift(await startCutProxy(boshd.url, address));
          const client = new Client(started[0].url);
          assert.equal(await client.connect(accounts.romeo.jid, accounts.romeo.password), 'connected');
          await server.sawLogin(accounts.romeo.jid, address);
          await client.disconnect();
        } finally {
          await stopEach(started);
        }
      });
  });

const signature = '\r\n\r\n\0\r\nQUIT\n';
const binary = (command, family, addresses, more = '') => Buffer.concat([
  Buffer.from(signature, 'latin1'), Buffer.from([command, family, 0, addresses.length + more.length]),
  Buffer.from([...addresses, ...Buffer.from(more, 'latin1')]),
]);
const ipv6 = [0x20, 1, 0xd, 0xb8, ...Array(11).fill(0), 7];
const ports = [1, 2, 3, 4];

// Each with the address that it tells of.
const headers = {
  'version 1, IPv6': ['PROXY TCP6 2001:db8::9 ::1 1 2\r\n', '2001:db8::9'],
  'version 1, of the proxy itself': ['PROXY UNKNOWN\r\n', '127.0.0.1'],
  'version 2, IPv4': [binary(0x21, 0x11, [192, 0, 2, 9, 127, 0, 0, 1, ...ports]), '192.0.2.9'],
  'version 2, IPv6, with what else there may be': [
    binary(0x21, 0x21, [...ipv6, ...ipv6, ...ports], '\x04\x00\x01x'), '2001:db8::7',
  ],
  'version 2, of the proxy itself': [binary(0x20, 0, []), '127.0.0.1'],
};
const refused = {
  'no header': "<?xml version='1.0'?>",
  'half a word': 'PROXXY TCP4 192.0.2.9 127.0.0.1 1 2\r\n',
  'a line without an end': `PROXY TCP4 ${'1'.repeat(200)}`,
  'a line with too little': 'PROXY TCP4 192.0.2.9\r\n',
  'another version': binary(0x31, 0x11, [192, 0, 2, 9, 127, 0, 0, 1, ...ports]),
  'too short for its addresses': binary(0x21, 0x21, [192, 0, 2, 9]),
  'too long': Buffer.concat([Buffer.from(signature, 'latin1'), Buffer.from([0x21, 0x11, 0xff, 0xff])]),
};

const login = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' to='localhost' version='1.0' "
  + "xmlns:stream='http://etherx.jabber.org/streams'><auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='PLAIN'>"
  + `${Buffer.from(`\0juliet\0${accounts.juliet.password}`).toString('base64')}</auth>`;

describe('mod_boshd_proxy of Prosody', { skip: !serverNames.includes('prosody') }, () => {
  let prosody;
  before(async () => (prosody = await startProsody(accounts)));
  after(() => prosody?.stop());

  const connect = async () => {
    const socket = net.connect({ port: prosody.proxied.port, host: '127.0.0.1', noDelay: true }).on('error', () => {});
    await once(socket, 'connect');
    return socket;
  };

  const seen = {};
  async function logIn(header, address, size) {
    const all = Buffer.concat([Buffer.from(header), Buffer.from(login)]);
    const socket = await connect();
    for (let at = 0; at < header.length; at += size) {
      socket.write(all.subarray(at, Math.min(at + size, header.length)));
      await new Promise(setImmediate);
    }
    socket.write(all.subarray(header.length));
    const times = seen[address] = (seen[address] ?? 0) + 1;
    const line = `Successful authentication as juliet@localhost from IP: ${address}\n`;
    await prosody.logged(`login from ${address}`, (log) => log.split(line).length === times + 1);
    socket.destroy();
  }

  for (const [what, [header, address]] of Object.entries(headers))
    test(`takes ${what}, whole and byte by byte`, async () => {
      await logIn(header, address, header.length);
      await logIn(header, address, 1);
    });

  for (const [what, bytes] of Object.entries(refused))
    test(`refuses ${what}`, { timeout: 20_000 }, async () => {
      const socket = await connect();
      socket.write(bytes);
      await once(socket.resume(), 'close');
    });
});
