// The servers of a test run: a throw-away XMPP server, boshd in front of it, and a server for pages on another origin.
// Each has free ports and a temporary directory, and is stopped by `stop`.
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import http from 'node:http';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startEjabberd } from './ejabberd.mjs';
import { Directory, startProgram, stopEach } from './process.mjs';
import { startProsody } from './prosody.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export const accounts = {
  romeo: { jid: 'romeo@localhost', password: 'balcony-1597' },
  juliet: { jid: 'juliet@localhost', password: 'orchard-1597' },
};

export const xmppServers = { prosody: startProsody, ejabberd: startEjabberd };

// E2E_SERVER=ejabberd runs a suite with that one only.
export const serverNames = process.env.E2E_SERVER?.split(',') ?? Object.keys(xmppServers);

// E2E_TRANSPORT=websocket: the clients come by WebSocket, and `url` is its address.
export const transport = process.env.E2E_TRANSPORT ?? 'bosh';

// `config` is the whole configuration.
export async function startBoshdWith(config) {
  const program = process.env.BOSHD ?? join(here, '../../build/release/boshd');
  const directory = new Directory('boshd');
  const running = await startProgram({
    directory, command: directory.command(program, '--config', directory.file('boshd.toml', config)),
    ready: /listening address=(\S+) path=(\S+)/,
  });
  const [, address, path] = running.match;
  let killed = false;
  return {
    url: transport === 'websocket' ? `ws://${address}/xmpp-websocket` : `http://${address}${path}`,
    get log() {
      return running.log;
    },
    logged: running.logged,
    kill() {
      killed = true;
      process.kill(running.pid, 'SIGKILL');
      return running.ended;
    },
    async stop() {
      await running.stop();
      if (running.code !== 0 && !killed) throw new Error(`boshd ended with ${running.code}:\n${running.log}`);
    },
  };
}

// `settings` is TOML that is put behind the listener's; `first` stands before it, and says by itself that several may run
// side by side.
export const startBoshd = (settings, first = 'metrics.address = ""\nstop.drain = "0s"\n') =>
  startBoshdWith(`${first}[[listen]]\naddress = "127.0.0.1:0"\n${settings}`);

const types = {
  '.css': 'text/css', '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.json': 'application/json',
  '.svg': 'image/svg+xml', '.wasm': 'application/wasm',
};

// The page that goes through the scenarios with Strophe.js.
const chatPage = Object.fromEntries(Object.entries({
  '/': 'page.html', '/client.js': 'client.js', '/watch.js': 'watch.js', '/scenarios.js': 'scenarios.js',
  '/strophe.js': 'node_modules/strophe.js/dist/strophe.esm.js',
}).map(([path, file]) => [path, join(here, file)]));

// Serves the given files (path → file) and folders (path with a slash at its end → folder) to the browser.
export async function startPages(files = chatPage) {
  const server = http.createServer((request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://x').pathname);
    const folder = path.slice(0, path.indexOf('/', 1) + 1);
    const file = files[path] ?? (files[folder] && join(files[folder], path.slice(folder.length)));
    if (!file || !existsSync(file)) return response.writeHead(404).end();
    const type = types[extname(file)] ?? 'application/octet-stream';
    response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' });
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

// The XMPP server of that name and boshd before it. `open` is a second boshd that passes every domain on.
export async function startAll(name) {
  const started = [];
  const keep = async (promise) => {
    const server = await promise;
    started.push(server);
    return server;
  };
  const stop = () => stopEach(started.reverse());
  try {
    const { port } = await keep(xmppServers[name](accounts));
    const upstream = `[upstream]\nserver = "127.0.0.1:${port}"\n`;
    const boshd = await keep(startBoshd(`${upstream}domains = ["localhost", "anon.localhost"]\n`));
    const open = await keep(startBoshd(upstream));
    return { boshd, open, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}
