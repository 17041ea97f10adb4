// boshctl beside a real server and behind a real proxy: what it finds out about the way, and what it shows of a login.
import './xhr.mjs';
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { dirname, join } from 'node:path';
import { Client } from './client.js';
import { makeAuthority } from './certificates.mjs';
import { startNginxHttps } from './nginx.mjs';
import { Directory, stopEach } from './process.mjs';
import { startProsody } from './prosody.mjs';
import { accounts, startBoshd } from './servers.mjs';

const program = process.env.BOSHCTL ?? join(dirname(process.env.BOSHD ?? 'build/release/boshd'), 'boshctl');

// Runs it to its end.
async function boshctl(args, env = {}) {
  const child = spawn(program, args, { env: { ...process.env, ...env } });
  let text = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (text += chunk));
  const [status] = await once(child, 'close');
  return { status, text };
}

describe('boshctl', () => {
  const authority = makeAuthority();
  const directory = new Directory('boshctl');
  const ca = directory.file('ca.pem', authority.certificate);
  const started = [];
  let prosody;
  let boshd;
  let nginx;
  const socket = join(directory.path, 'control');
  const upstream = (settings) => `[upstream]\ndomains = ["localhost", "wrong.localhost"]\n${settings}\n`;

  before(async () => {
    prosody = await startProsody(accounts, {
      certificates: { localhost: authority.sign('localhost'), 'wrong.localhost': authority.sign('other.example') },
    });
    started.push(prosody);
    boshd = await startBoshd(
      upstream(`server = "127.0.0.1:${prosody.port}"\ntls = "required"\nca = "${ca}"`),
      `metrics.address = ""\nstop.drain = "0s"\ncontrol.socket = "${socket}"\n`);
    started.push(boshd);
    nginx = await startNginxHttps(new URL(boshd.url).host, authority.sign('localhost'));
    started.push(nginx);
  });
  after(async () => {
    await stopEach(started.reverse().map((one) => ({ stop: one.stop })));
    directory.remove();
  });

  const check = (settings, ...args) =>
    boshctl(['check', '--config', directory.file('check.toml', upstream(settings)), ...args]);

  test('a server that is right', async () => {
    const { status, text } =
      await check(`server = "127.0.0.1:${prosody.port}"\ntls = "required"\nca = "${ca}"`, 'localhost');
    assert.equal(status, 0, text);
    for (const part of [/STARTTLS required/, /ok +tls +TLSv1\.3/, /certificate for localhost; issued by boshd test CA/,
      /SCRAM-SHA-1/, /localhost works\./]) assert.match(text, part);
  });

  test('direct TLS', async () => {
    const { status, text } =
      await check(`server = "tls://127.0.0.1:${prosody.tlsPort}"\ntls = "required"\nca = "${ca}"`, 'localhost');
    assert.equal(status, 0, text);
    assert.match(text, /from the first byte/);
  });

  test('direct TLS at a port without it', async () => {
    const { status, text } = await check(`server = "tls://127.0.0.1:${prosody.port}"\ntls = "required"`, 'localhost');
    assert.equal(status, 1, text);
    assert.match(text, /fail +tls/);
    assert.match(text, /leave tls:\/\/ out/);
  });

  test('an authority that is not known', async () => {
    const { status, text } = await check(`server = "127.0.0.1:${prosody.port}"\ntls = "required"`, 'localhost');
    assert.equal(status, 1, text);
    assert.match(text, /\[upstream\] ca/);
  });

  test('a domain that the server does not have', async () => {
    const { status, text } = await check(`server = "127.0.0.1:${prosody.port}"`, 'wrong.localhost');
    assert.equal(status, 1, text);
    assert.match(text, /host-unknown/);
  });

  test('through nginx, BOSH and WebSocket', async () => {
    const host = `localhost:${nginx.port}`;
    const args = ['check', '--url', `https://${host}/http-bind`, '--websocket', `wss://${host}/xmpp-websocket`, 'localhost'];
    const { status, text } = await boshctl(args, { SSL_CERT_FILE: ca });
    assert.equal(status, 0, text);
    for (const part of [/a session was opened/, /and closed/, /subprotocol xmpp/, /Server: nginx/])
      assert.match(text, part);
    const untrusted = await boshctl(args);
    assert.equal(untrusted.status, 1, untrusted.text);
    assert.match(untrusted.text, /Browsers will refuse it/);
  });

  test('a login and a message, followed', async () => {
    const follower = spawn(program, ['-s', socket, '-j', 'trace', accounts.romeo.jid, 'bodies']);
    let heard = '';
    follower.stdout.on('data', (chunk) => (heard += chunk));
    const hears = async (part) => {
      while (!heard.includes(part)) await once(follower.stdout, 'data');
    };
    await hears('"following"');
    const client = new Client(boshd.url);
    assert.equal(await client.connect(accounts.romeo.jid, accounts.romeo.password), 'connected');
    client.say(client.jid, 'for myself');
    await hears('for myself');
    await client.disconnect();
    await hears('"end"');
    follower.kill();
    await once(follower, 'close');
    assert.match(heard, /<auth [^>]*>…\(\d+\)<\/auth>/);
    assert.match(heard, /"event":"from-server"/);
    assert.ok(!heard.includes(accounts.romeo.password));
    assert.ok(!heard.includes(Buffer.from('n,,n=romeo').toString('base64').slice(0, 12)), heard);
  });
});
