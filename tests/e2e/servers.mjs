// The servers of a test run: a throw-away Prosody, boshd in front of it, and a server for pages on another origin.
// Each has free ports and a temporary directory, and is stopped by `stop`.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execFileSync } from 'node:child_process';

const here = dirname(fileURLToPath(import.meta.url));
const asRoot = process.getuid() === 0;

export const accounts = {
  romeo: { jid: 'romeo@localhost', password: 'balcony-1597' },
  juliet: { jid: 'juliet@localhost', password: 'orchard-1597' },
};

async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// Runs a program until `ready` matches its output; rejects with that output when it ends first.
function start(command, args, ready) {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.log = '';
  const started = new Promise((resolve, reject) => {
    const read = (chunk) => {
      child.log += chunk;
      const match = ready.exec(child.log);
      if (match) resolve(match);
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`${command} ended with ${code}:\n${child.log}`)));
  });
  return { child, started };
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
}

// Prosody refuses to run as root.
function unprivileged(directory) {
  if (!asRoot) return { prefix: [], own: () => {} };
  const uid = Number(execFileSync('id', ['-u', 'prosody']));
  const gid = Number(execFileSync('id', ['-g', 'prosody']));
  const prefix = ['setpriv', `--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'];
  const own = (path) => chownSync(path, uid, gid);
  own(directory);
  return { prefix, own };
}

export async function startProsody() {
  const directory = mkdtempSync(join(tmpdir(), 'boshd-prosody-'));
  const { prefix, own } = unprivileged(directory);
  const port = await freePort();
  for (const path of ['data', 'data/localhost', 'data/localhost/accounts', 'certs']) {
    mkdirSync(join(directory, path));
    own(join(directory, path));
  }
  for (const [name, { password }] of Object.entries(accounts)) {
    const file = join(directory, 'data/localhost/accounts', `${name}.dat`);
    writeFileSync(file, `return { ["password"] = "${password}" };\n`);
    own(file);
  }
  const config = join(directory, 'prosody.cfg.lua');
  writeFileSync(config, `
    pidfile = "${directory}/prosody.pid"
    data_path = "${directory}/data"
    certificates = "${directory}/certs"
    log = { { levels = { min = "info" }, to = "console" } }
    interfaces = { "127.0.0.1" }
    c2s_ports = { ${port} }
    modules_enabled = { "roster", "saslauth", "disco", "ping", "smacks" }
    modules_disabled = { "s2s", "tls", "posix" }
    c2s_require_encryption = false
    allow_unencrypted_plain_auth = true
    VirtualHost "localhost"
      authentication = "internal_plain"
    VirtualHost "anon.localhost"
      authentication = "anonymous"
    Component "conference.localhost" "muc"
  `);
  const [command, ...args] = [...prefix, 'prosody', '--config', config, '-F'];
  const { child, started } = start(command, args, /Activated service 'c2s'/);
  const server = {
    port,
    async stop() {
      await stop(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
  await started.catch(async (error) => {
    await server.stop();
    throw error;
  });
  return server;
}

// `settings` is TOML that is put behind the listener's.
export async function startBoshd(settings) {
  const program = process.env.BOSHD ?? join(here, '../../build/release/boshd');
  const directory = mkdtempSync(join(tmpdir(), 'boshd-'));
  const config = join(directory, 'boshd.toml');
  writeFileSync(config, `[[listen]]\naddress = "127.0.0.1:0"\n${settings}`);
  const { child, started } = start(program, ['--config', config], /listening address=(\S+) path=(\S+)/);
  const daemon = {
    get log() {
      return child.log;
    },
    async stop() {
      await stop(child);
      rmSync(directory, { recursive: true, force: true });
      if (child.exitCode !== 0) throw new Error(`boshd ended with ${child.exitCode ?? child.signalCode}:\n${child.log}`);
    },
  };
  const match = await started.catch(async (error) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  daemon.url = `http://${match[1]}${match[2]}`;
  return daemon;
}

const types = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript' };

// Serves the given files (path → file) to the browser.
export async function startPages(files) {
  const server = http.createServer((request, response) => {
    const file = files[new URL(request.url, 'http://x').pathname];
    if (!file) return response.writeHead(404).end();
    response.writeHead(200, { 'Content-Type': `${types[extname(file)]}; charset=utf-8`, 'Cache-Control': 'no-store' });
    response.end(readFileSync(file));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://localhost:${server.address().port}`,
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

// All three. `open` is a second boshd that passes every domain on to Prosody.
export async function startAll() {
  const started = [];
  const keep = async (promise) => {
    const server = await promise;
    started.push(server);
    return server;
  };
  const stopAll = async () => {
    for (const server of started.reverse()) await server.stop();
  };
  try {
    const prosody = await keep(startProsody());
    const upstream = `[upstream]\nserver = "127.0.0.1:${prosody.port}"\n`;
    const boshd = await keep(startBoshd(`${upstream}domains = ["localhost", "anon.localhost"]\n`));
    const open = await keep(startBoshd(upstream));
    return { boshd, open, stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }
}
