// What serves a status page to a test: the page as it is in the sources with a status.json that the test decides, or boshd.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { freePort } from './process.mjs';
import { startBoshd } from './servers.mjs';

const page = new URL('../../src/operate/status_page.html', import.meta.url);
// As boshd sends it.
const header = readFileSync(new URL('../../src/operate/status_page.hpp', import.meta.url), 'utf8');
const literals = header.slice(header.indexOf('status_page_policy')).matchAll(/"([^"]*)"/g);
const policy = [...literals].map(([, text]) => text).join('');

// `now` may be fixed, for pictures that are always the same.
export const fresh = (now = Date.now() / 1000) => ({
  version: '0.1.0', node: '', now, started: now - 3, state: 'ready',
  threads: [{ sessions: 0, lag_seconds: 0.00004 }, { sessions: 0, lag_seconds: 0.00006 }],
  sessions: { bosh: 0, websocket: 0, limit: 10000, created: 0, ended: 0, refused: 0 },
  held_requests: 0, http_connections: 0, upstream_connections: { connecting: 0, open: 0 },
  delay_seconds: null,
  rates: { sessions: 0, requests: 0, stanzas_in: 0, stanzas_out: 0, bytes_in: 0, bytes_out: 0 },
  history: { step_seconds: 2, sessions: [0, 0], stanzas: [0, 0], bytes: [0, 0], delay_p99: [null, null] },
  ended: [], refused: [], domains: [], addresses: [], certificates: [], errors: [], proxies: [],
  process: { resident_bytes: 9.4e6, open_files: 19, max_files: 65536, cpu_seconds: 0.04 },
  config: { file: '/etc/boshd/boshd.toml', loaded: now - 3, reload_ok: true, reload_error: '' },
});

// A walk that is the same each time: smooth, with some noise.
function walk(points, middle, swing, noise, seed) {
  let state = seed;
  const random = () => (state = (state * 48271) % 2147483647) / 2147483647;
  return Array.from({ length: points }, (_, index) => {
    const wave = Math.sin(index / 47 + seed) + 0.4 * Math.sin(index / 13 + 2 * seed);
    return Math.max(0, middle + swing * wave + noise * (random() + random() + random() - 1.5));
  });
}

function busyHistory() {
  const sessions = walk(300, 6180, 70, 14, 3).map((value, index) => Math.round(value + index * 0.55));
  const stanzas = walk(300, 1420, 130, 190, 5);
  const bytes = walk(300, 71, 30, 90, 11).map((noise, index) => stanzas[index] * (820 + noise));
  const delays = walk(300, 0.0046, 0.0006, 0.0019, 7).map((value, index) => (index > 190 && index < 203 ? value + 0.011 : value));
  return { step_seconds: 2, sessions, stanzas, bytes, delay_p99: delays };
}

const end = (reason, transport, count, recent) => ({ reason, transport, count, recent });

function busyEnds() {
  return {
    ended: [
      end('client-terminated', 'websocket', 148210, 402), end('client-terminated', 'bosh', 61904, 151),
      end('client-lost', 'websocket', 39118, 96), end('inactive', 'bosh', 22405, 61),
      end('login-timeout', 'bosh', 1204, 3), end('server-lost', 'websocket', 391, 0), end('server-lost', 'bosh', 202, 0),
      end('rid-out-of-order', 'bosh', 88, 1), end('server-unreachable', 'websocket', 41, 9), end('request-too-large', 'websocket', 17, 0),
    ],
    refused: [
      { reason: 'host-unknown', count: 914, recent: 4 }, { reason: 'address-rate', count: 233, recent: 2 },
      { reason: 'logins', count: 78, recent: 0 },
    ],
  };
}

function busyHolders() {
  const domains = [['chat.example.org', 4871], ['support.example.com', 932], ['example.net', 401], ['intern.example.org', 88],
    ['xn--bcher-kva.example', 37], ['staging.example.org', 6]];
  const addresses = [['198.51.100.23', 48], ['2001:db8:4f:1200::/64', 44], ['203.0.113.190', 31], ['198.51.100.7', 22],
    ['2001:db8:77::/64', 19], ['203.0.113.4', 15], ['192.0.2.61', 12], ['198.51.100.88', 12], ['203.0.113.77', 11], ['192.0.2.140', 9]];
  return {
    domains: domains.map(([name, sessions]) => ({ name, sessions })),
    addresses: addresses.map(([address, sessions]) => ({ address, sessions })),
  };
}

function busyErrors(now) {
  const error = (ago, level, event, text, count) => ({ time: now - ago, level, event, text, count });
  return [
    error(74, 'warning', 'upstream-failed', 'domain=support.example.com server=10.0.4.12:5222 error="connection refused"', 9),
    error(412, 'warning', 'session-refused', 'reason=address-rate client=203.0.113.190', 2),
    error(2890, 'warning', 'proxy-problem', 'address=10.0.0.2 problem=held-requests-cut after=30s', 1),
    error(31022, 'error', 'accept-failed', 'error="Too many open files"', 4),
    error(190844, 'warning', 'certificate', 'file=/etc/boshd/tls/intern.pem names=intern.example.org expires_in_days=14', 1),
  ];
}

const certificate = (now, file, names, days) => ({ file: `/etc/boshd/tls/${file}`, names, expires: now + days * 86400 + 4000 });

export function busy(now = Date.now() / 1000) {
  const history = busyHistory();
  const live = history.sessions.at(-1);
  const websocket = Math.round(live * 0.71);
  const bosh = live - websocket;
  const holders = busyHolders();
  holders.domains[0].sessions += live - holders.domains.reduce((sum, { sessions }) => sum + sessions, 0);
  return {
    version: '0.1.0', node: 'n1', now, started: now - 12 * 86400 - 4 * 3600 - 733, state: 'ready',
    threads: [0.00031, 0.00027, 0.00044, 0.0021].map((lag_seconds, index) => (
      { sessions: index < 3 ? Math.floor(live / 4) + 19 - 7 * index : live - 3 * Math.floor(live / 4) - 36, lag_seconds })),
    sessions: { bosh, websocket, limit: 15000, created: 273580 + live, ended: 273580, refused: 1225 },
    held_requests: bosh - 37, http_connections: live + 88, upstream_connections: { connecting: 2, open: live - 2 },
    delay_seconds: { p50: 0.00041, p90: 0.0017, p99: history.delay_p99.at(-1), window_seconds: 60 },
    rates: { sessions: 1.3, requests: 214.2, stanzas_in: 311.4, stanzas_out: history.stanzas.at(-1) - 311.4,
      bytes_in: 188_400, bytes_out: history.bytes.at(-1) - 188_400 },
    history, ...busyEnds(), ...holders,
    certificates: [certificate(now, 'chat.pem', ['chat.example.org', 'www.example.org', 'support.example.com', 'example.net', 'xn--bcher-kva.example'], 61),
      certificate(now, 'intern.pem', ['intern.example.org', 'staging.example.org'], 11)],
    errors: busyErrors(now),
    proxies: [{ address: '10.0.0.2', problem: 'held-requests-cut', since: now - 2890, count: 214,
      advice: 'It cuts requests after 30 s, boshd holds them for 60 s. In nginx: proxy_read_timeout 90s; until then new sessions of this proxy wait 25 s.' }],
    process: { resident_bytes: 118.4e6, open_files: 2 * live + 131, max_files: 65536, cpu_seconds: 41822 },
    config: { file: '/etc/boshd/boshd.toml', loaded: now - 3 * 86400 - 5000, reload_ok: true, reload_error: '' },
  };
}

// Everything that can be wrong is.
export function troubled(now = Date.now() / 1000) {
  const status = busy(now);
  return {
    ...status, state: 'stuck',
    threads: status.threads.map((thread, index) => ({ ...thread, lag_seconds: [0.0003, 12.4, 0.24, 0.002][index] })),
    ended: [...status.ended, end('server-tls-failed', 'websocket', 311, 311)],
    certificates: [...status.certificates, certificate(now, 'old.pem', ['old.example.org'], -3)],
    process: { ...status.process, open_files: 64100 },
    config: { ...status.config, reload_ok: false,
      reload_error: '/etc/boshd/boshd.toml:41:12: limits.max_request: found "256 kb", a size is a number with KiB or MiB, as in "256KiB"' },
  };
}

export class MockStatus {
  status = fresh();
  requests = [];  // paths, in order
  answer = null;  // another way to answer status.json: (response) => …
  #server;
  #port = 0;

  get url() {
    return `http://127.0.0.1:${this.#port}/status`;
  }

  async start() {
    this.#server = http.createServer((request, response) => this.#serve(request, response)).listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    this.#port = this.#server.address().port;
    return this;
  }

  // The same port serves again after start().
  async stop() {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #serve(request, response) {
    this.requests.push(request.url);
    if (request.url === '/status') {
      response.writeHead(200, { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': policy });
      return response.end(readFileSync(page));
    }
    if (request.url !== '/status.json') return response.writeHead(404).end();
    if (this.answer) return this.answer(response);
    response.writeHead(200, { 'Content-Type': 'application/json' });
    response.end(JSON.stringify(this.status));
  }
}

// The real one, without a client.
export class BoshdStatus {
  #running;
  #port;

  get url() {
    return `http://127.0.0.1:${this.#port}/status`;
  }

  async start() {
    this.#port ??= await freePort();
    this.#running = await startBoshd('', `metrics.address = "127.0.0.1:${this.#port}"\nstop.drain = "0s"\n`);
    return this;
  }

  // The same port serves again after start().
  async stop() {
    await this.#running.stop();
  }
}

export const sources = { mock: MockStatus, boshd: BoshdStatus };
