// HAProxy as etc/haproxy has it, in front of two boshd: each session stays at its node, a node that drains gets no new
// ones, and when one is lost only its own sessions are.
import './xhr.mjs';
import assert from 'node:assert/strict';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { conditionOf, openConnections, Session } from './bosh_session.mjs';
import { makeAuthority } from './certificates.mjs';
import { Client } from './client.js';
import { startEchoServer } from './echo_server.mjs';
import { startHaproxyHttps } from './haproxy.mjs';
import { Directory, freePort, stopEach } from './process.mjs';
import { startBoshdWith } from './servers.mjs';
import { boshdSettings, changed } from './shipped.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';  // for Strophe.js, which can't be told an authority

const address = '127.9.8.5';  // of the clients
const hosts = { n1: '127.9.1.1', n2: '127.9.1.2' };
const limits = `
[limits]
sessions_per_address = 0
new_sessions_per_second = 0
requests_per_second = 0
authentication_timeout = "5m"
`;

const sockets = new Directory('boshd-nodes');
const started = [];
const nodes = {};
let haproxy;
let connections;
before(async () => {
  const [port, statusPort] = [await freePort(), await freePort()];
  const echo = await keep(startEchoServer());
  for (const label of ['n1', 'n2']) nodes[label] = await startNode(label, port, statusPort, echo.port);
  haproxy = await keep(startHaproxyHttps([
    ['10.0.0.1', hosts.n1], ['10.0.0.2', hosts.n2], [/\b5280\b/g, port], [/\b5281\b/g, statusPort],
  ], makeAuthority().sign('localhost')));
  connections = openConnections({ port: haproxy.port, address, http2: 50, http1: 100 });
});
after(async () => {
  connections?.stop();
  await stopEach(started.reverse());
  sockets.remove();
});

async function keep(starting) {
  started.push(await starting);
  return started.at(-1);
}

// With the settings that haproxy.cfg names.
async function startNode(label, port, statusPort, serverPort) {
  const settings = changed(boshdSettings('haproxy/haproxy.cfg'), [
    ['"n1"', `"${label}"`],
    ['10.0.0.1:5280', `${hosts[label]}:${port}`],
    ['10.0.0.1:5281', `${hosts[label]}:${statusPort}`],
    ['10.0.0.9', '127.0.0.1'],
  ]);
  const socket = join(sockets.path, label);
  const boshd = await keep(startBoshdWith(`stop.drain = "0s"\ncontrol.socket = "${socket}"\n${settings}${limits}
[upstream]
server = "127.0.0.1:${serverPort}"
`));
  return Object.assign(boshd, { drain: () => command(socket, 'drain'), resume: () => command(socket, 'resume') });
}

// As boshctl gives it.
async function command(path, words) {
  const socket = net.connect(path).setEncoding('utf8');
  socket.write(`${words}\n`);
  let answer = '';
  for await (const piece of socket) answer += piece;
  assert.match(answer, /"ok": ?true/);
}

const numbers = (count) => [...Array(count).keys()];
const begin = (count) => Promise.all(numbers(count).map(() => new Session(connections).begin()));
const end = (sessions) => Promise.all(sessions.map((session) => session.end()));
const at = (label, sessions) => sessions.filter(({ node }) => node === label);
const labels = (sessions) => [...new Set(sessions.map(({ node }) => node))].sort();

// The server's echo in the session; what looks like a sid in it is none. Over connections that change, the answer may be
// empty, and the next request brings the echo.
let messages = 0;
async function echoes(session) {
  const id = `m${++messages}`;
  let answer = await session.ask(`<message id='${id}'><body><![CDATA[<body sid='n1-x'> sid="n2-x"]]></body></message>`);
  assert.equal(conditionOf(answer), null, answer);
  if (!answer.includes('<message')) answer = await session.ask();
  assert.ok(answer.includes(` id='${id}'>`), answer);
}

// Sessions with a request each that is held.
async function beginHeld(count) {
  const sessions = await begin(count);
  for (const session of sessions) {
    session.held = session.ask();
    session.held.catch(() => {});  // at the end of all
  }
  return sessions;
}

// Strophe.js; over BOSH it knows its node.
async function login(url) {
  const client = new Client(url);
  assert.equal(await client.connect('localhost'), 'connected');
  return Object.assign(client, { node: client.connection._proto.sid?.split('-')[0] });
}

test('2,000 of 2,000 sessions stay at their node', async () => {
  const sessions = await begin(2000);
  for (const label of ['n1', 'n2']) assert.ok(at(label, sessions).length > 500, `${at(label, sessions).length} at ${label}`);
  await Promise.all(sessions.map(async (session) => {
    for (const round of numbers(2)) await echoes(session, round);
    session.held = session.ask();
  }));
  const ends = await Promise.all([...await end(sessions), ...sessions.map(({ held }) => held)]);
  assert.deepEqual(new Set(ends.map(conditionOf)), new Set([null, 'none']));
  for (const { log } of Object.values(nodes)) assert.match(log, new RegExp(` client=${address} `));
});

test('a node that drains gets no new sessions, and keeps those that it has', async () => {
  const before = await beginHeld(40);
  assert.deepEqual(labels(before), ['n1', 'n2']);
  await nodes.n1.drain();
  // HAProxy need not know yet. To a 503 clients say the same once more.
  const eager = await Promise.allSettled(numbers(20).map(() => new Session(connections).begin()));
  const outcomes = eager.map(({ value, reason }) => value?.node ?? reason.message.slice(0, 'HTTP 503'.length));
  assert.deepEqual(outcomes.filter((outcome) => outcome !== 'n2' && outcome !== 'HTTP 503'), []);
  await haproxy.logged('drain', (log) => /bosh\/n1 .*(?:stopping|NOLB|disabled)/.test(log));
  const after = await beginHeld(40);
  assert.deepEqual(labels(after), ['n2']);
  for (const round of numbers(3)) await Promise.all(before.map((session) => echoes(session, round)));
  await nodes.n1.resume();
  await haproxy.logged('end of the drain', (log) => /bosh\/n1 .*UP/.test(log));
  const late = await beginHeld(20);
  assert.ok(labels(late).includes('n1'));
  const begun = eager.flatMap(({ value }) => value ?? []);
  await end([...before, ...after, ...late, ...begun]);
});

async function isAlive(client) {  // the server sends it back
  const tag = `alive ${++messages}`;
  client.say('localhost', tag);
  await client.received(tag, 1);
}

// One at least at each node, whom Strophe.js knows.
async function loginAtBoth() {
  const clients = [];
  while (clients.length < 20 && labels(clients).length < 2)
    clients.push(await login(`https://localhost:${haproxy.port}/http-bind`));
  assert.deepEqual(labels(clients), ['n1', 'n2']);
  return clients;
}

test('when a node is lost, its sessions end, their clients log in anew, and the others notice nothing', async () => {
  const sessions = await beginHeld(40);
  const clients = await loginAtBoth();
  const websockets = await Promise.all(numbers(6).map(() => login(`wss://localhost:${haproxy.port}/xmpp-websocket`)));

  await nodes.n1.kill();
  const ends = await Promise.all(at('n1', sessions).map(({ held }) => held));
  assert.deepEqual(new Set(ends.map(conditionOf)), new Set(['item-not-found']));
  const late = await Promise.all(at('n1', sessions).map((session) => session.ask()));
  assert.deepEqual(new Set(late.map(conditionOf)), new Set(['item-not-found']));

  await Promise.all(at('n1', clients).map((client) => client.end()));
  const lost = [...clients, ...websockets].filter(({ disconnected }) => disconnected);
  const others = [...clients, ...websockets].filter(({ disconnected }) => !disconnected);
  assert.equal(others.length, at('n2', clients).length + 3);
  for (const session of at('n2', sessions)) {
    await echoes(session);
    assert.equal(conditionOf(await session.held), null);
  }
  for (const client of lost) {
    client.connection.reset();
    assert.equal(await client.connect('localhost'), 'connected');
  }
  for (const client of [...lost, ...others]) await isAlive(client);
  await Promise.all([...lost, ...others].map((client) => client.disconnect()));
});
