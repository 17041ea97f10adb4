// What the benchmark runs: the load, the fake server, the floor, boshd, and those it is compared with. Each listens on
// a free port of 127.0.0.1 and is stopped by `stop`.
import { execFile, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import net from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { findEjabberd } from '../e2e/ejabberd.mjs';
import { Directory, freePort, startProgram, stopEach } from '../e2e/process.mjs';

const here = dirname(fileURLToPath(import.meta.url));
const build = process.env.BENCH_BUILD ?? join(here, '../../build/release');
export const program = (name) => join(build, name === 'boshd' ? name : `tests/bench/${name}`);
const run = promisify(execFile);
const paths = { bosh: '/http-bind', websocket: '/xmpp-websocket' };

export const missingPrograms = () =>
  ['boshd', 'bench_server', 'bench_floor', 'bench_load', 'bench_micro'].filter((name) => !existsSync(program(name)));

// Everything that runs now. `stopAll` ends it, and nothing is started any more. What is just being started ends with this
// process.
const running = new Set();
const directories = new Set();
const end = new AbortController();
export const isStopped = () => end.signal.aborted;
export async function stopAll() {
  end.abort(new Error('it was told to stop'));
  await stopEach([...running]);
  for (const directory of directories) directory.remove();
}

export const runProgram = (name, words) =>
  run(program(name), words, { timeout: 900_000, maxBuffer: 64 * 1024 * 1024, signal: end.signal });

// One run of the load: what it saw. Rejects when anything was lost, refused, or out of order; `seen` is what came of it
// then.
export async function load(target, options) {
  const all = { port: target.port, path: target.paths.bosh, ...target.load, ...options };
  if (!('server' in all)) all.server = target.pid;
  if (all.websocket) all.path = target.paths.websocket;
  const words = Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)]);
  try {
    return JSON.parse((await runProgram('bench_load', words)).stdout);
  } catch (error) {
    throw Object.assign(new Error(complaint(error)), { seen: error.stdout ? JSON.parse(error.stdout) : {} });
  }
}

function complaint({ code, signal, stdout, stderr }) {
  const counts = /"lost": [^}]*/.exec(stdout ?? '')?.[0].replace(/"|\.0+\b/g, '');
  return [stderr?.trim().split('\n')[0].slice(0, 160), counts].filter(Boolean).join('; ') || `bench_load ended by ${signal ?? code}`;
}

async function start(name, command, ready, { directory = new Directory(`bench-${name}`), env = {}, ...rest } = {}) {
  end.signal.throwIfAborted();
  directories.add(directory);
  const child = await startProgram({ directory, command: directory.command(...command), ready, env });
  const target = {
    name, paths, load: {}, pid: child.pid, port: Number(child.match[1]),
    stop: async () => {
      await child.stop();
      running.delete(target);
      directories.delete(directory);
    },
    ended: async () => {  // by a signal, with all that it has printed
      process.kill(innermost(child.pid), 'SIGTERM');
      await child.ended;
      await target.stop();
      return child.log;
    },
    ...rest,
  };
  running.add(target);
  await listening(target);
  return target;
}

// Some say that they are ready before they are.
async function listening(target) {
  for (const patience = Date.now() + 20_000; Date.now() < patience; await sleep(100)) {
    const socket = net.connect(target.port, '127.0.0.1');
    const answered = await once(socket, 'connect').then(() => true, () => false);
    socket.destroy();
    if (answered) return;
  }
  await target.stop();
  throw new Error(`${target.name} does not listen`);
}

// strace keeps signals from what it runs; what it runs is its child.
function innermost(pid) {
  const child = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ')[0];
  return child ? Number(child) : pid;
}

export const startServer = () => start('server', [program('bench_server')], /listening on (\d+)/);
export const startFloor = ({ port }, { wrapper = [] } = {}) =>
  start('floor', [...wrapper, program('bench_floor'), String(port)], /listening on (\d+)/);

// Limits are on; those that count by address are above what one client of the load does.
//
// `wrapper`: words before the program's name, such as those of strace.
export async function startBoshd(server, { threads = 1, tls = false, more = '', wrapper = [] } = {}) {
  const directory = new Directory('bench-boshd');
  const [chain, key] = ['chain.pem', 'key.pem'].map((file) => join(directory.path, file));
  if (tls)
    execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2',
      '-subj', '/CN=localhost', '-keyout', key, '-out', chain], { stdio: 'ignore' });
  const config = directory.file('boshd.toml', `
threads = ${threads}
proxy.trusted = []
limits.requests_per_second = 1000000
metrics.address = ""
stop.drain = "0s"
upstream.server = "127.0.0.1:${server.port}"
${more}
[[listen]]
address = "127.0.0.1:0"
tls = ${tls}
${tls ? `[[tls.certificate]]\nchain = "${chain}"\nkey = "${key}"` : ''}
`);
  return start('boshd', [...wrapper, program('boshd'), '--config', config], /listening address=127.0.0.1:(\d+)/,
    { directory, load: tls ? { tls: 1 } : {} });
}

// With a configuration of the caller's, who may rewrite it; its first listener is at a free port.
export const startBoshdWith = (config) =>
  start('boshd', [program('boshd'), '--config', config], /listening address=127.0.0.1:(\d+)/);

// --- Those it is compared with ---

async function startProsody() {
  const directory = new Directory('bench-prosody', 'prosody');
  const port = await freePort();
  directory.folder('data');
  const config = directory.file('prosody.cfg.lua', `
    pidfile = "${directory.path}/prosody.pid"
    data_path = "${directory.path}/data"
    log = { { levels = { min = "info" }, to = "console" } }
    interfaces = { "127.0.0.1" }
    c2s_ports = {}
    http_ports = { ${port} }
    https_ports = {}
    http_interfaces = { "127.0.0.1" }
    http_default_host = "anon.localhost"
    modules_enabled = { "saslauth", "bosh", "websocket" }
    modules_disabled = { "s2s", "tls", "posix" }
    c2s_require_encryption = false
    consider_bosh_secure = true
    consider_websocket_secure = true
    VirtualHost "anon.localhost"
      authentication = "anonymous"
  `);
  return start('prosody', ['prosody', '--config', config, '-F'], /Activated service 'http' on/,
    { directory, load: { host: 'anon.localhost', domain: 'anon.localhost' }, port });
}

async function startEjabberd() {
  const directory = new Directory('bench-ejabberd', 'ejabberd');
  const port = await freePort();
  const config = directory.file('ejabberd.yml', `
hosts: [anon.localhost]
loglevel: warning
auth_method: anonymous
anonymous_protocol: sasl_anon
listen:
  - { ip: 127.0.0.1, port: ${port}, module: ejabberd_http,
      request_handlers: { /http-bind: mod_bosh, /xmpp-websocket: ejabberd_http_ws } }
modules:
  mod_bosh: {}
`);
  const command = ['erl', '-noinput', '+sbwt', 'none', '-pa', findEjabberd(), '-mnesia', 'dir',
    `"${directory.folder('mnesia')}"`, '-s', 'ejabberd', '-eval', 'io:put_chars("it runs\\n").'];
  const env = {
    HOME: directory.path, EJABBERD_CONFIG_PATH: config, ERL_CRASH_DUMP: join(directory.path, 'crash.dump'),
    EJABBERD_LOG_PATH: join(directory.folder('log'), 'ejabberd.log'),
  };
  return start('ejabberd', command, /it runs/,
    { directory, env, load: { host: 'anon.localhost', domain: 'anon.localhost' }, port });
}

// In front of a fake server, as boshd is. It comes from npm: `npm ci --prefix tests/bench`. It finds servers by DNS only
// and takes the port for granted, whatever a client's route says.
async function startNodeXmppBosh() {
  const directory = new Directory('bench-node-xmpp-bosh');
  const manager = join(here, 'node_modules/node-xmpp-bosh');
  if (!existsSync(manager)) throw new Error('npm ci --prefix tests/bench installs node-xmpp-bosh');
  const port = await freePort();
  const config = directory.file('bosh.conf.js', `exports.config = {
    port: ${port}, host: '127.0.0.1', path: /^\\/http-bind(\\/+)?$/, logging: 'FATAL', max_data_held: 100000,
    max_bosh_connections: 2, window_size: 2, default_inactivity: 70, max_inactivity: 160, http_socket_keepalive: 60,
    max_streams_per_session: 8, http_headers: {}, no_tls_domains: ['localhost'], firewall: { deny: ['nowhere.example'] },
    route_filter: /.*/, max_xmpp_stanza_size: 500000, system_info_password: 'none', trusted_hosts: [],
  };`);
  const server = await start('server', [program('bench_server'), '5222'], /listening on (\d+)/);
  const manage = () => start('node-xmpp-bosh', ['node', join(manager, 'run-server.js'), `--config=${config}`],
    /WEBSOCKET server/, { directory, load: { domain: 'localhost', route: 'xmpp:localhost:5222' }, port });
  try {
    const target = await manage();
    return { ...target, stop: () => stopEach([target, server]) };
  } catch (error) {
    await server.stop();
    throw error;
  }
}

const node = join(here, 'node_modules/node-xmpp-bosh/package.json');
const first = (program, words, pattern) => pattern.exec(execFileSync(program, words, { encoding: 'utf8' }))?.[1];

// `websocket`: as RFC 7395 has it; node-xmpp-bosh only knows what was before.
export const peers = {
  prosody: {
    start: startProsody, websocket: true,
    version: () => first('prosodyctl', ['about'], /^Prosody (\d\S*)/m),
  },
  ejabberd: { start: startEjabberd, websocket: true, version: () => /ejabberd-([^/]+)/.exec(findEjabberd())[1] },
  'node-xmpp-bosh': {
    start: startNodeXmppBosh, websocket: false,
    version: () => JSON.parse(readFileSync(node, 'utf8')).version,
  },
};
