// HAProxy as etc/haproxy has it, in front of two boshd: each session stays at its node, a node that drains gets no new
// ones, and when one is lost only its own sessions are.
import './xhr.mjs';
import assert from 'node:assert/strict';
import http from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';
import { conditionOf, openConnections, Session } from './bosh_session.mjs';
import { makeAuthority } from './certificates.mjs';
import { Client } from './client.js';
import { startEchoServer } from './echo_server.mjs';
import { generator } from './fault_random.mjs';
import { startHaproxyHttps } from './haproxy.mjs';
import { freePort, stopEach } from './process.mjs';
import { startBoshdWith } from './servers.mjs';
import { boshdSettings, changed } from './shipped.mjs';

process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';  // for Strophe.js' connections

const started = [];
const nodes = {};
let haproxy;
let connections;
before(async () => {
  const [port, statusPort] = [await freePort(), await freePort()];
  const addresses = [['10.0.0.1', '127.9.1.1'], ['10.0.0.2', '127.9.1.2'], [/5280/g, port], [/5281/g, statusPort]];
  const echo = await keep(startEchoServer());
  for (const label of ['n1', 'n2']) nodes[label] = await keep(startNode(label, port, statusPort, echo));
  haproxy = await keep(startHaproxyHttps(addresses, makeAuthority().sign('localhost')));
  const random = generator('haproxy');
  connections = openConnections({ port: haproxy.port, random, http2: 30, http1: 100 });
});
after(async () => {
  connections?.stop();
  await stopEach(started.reverse());
});

async function keep(starting) {
  started.push(await starting);
  return started.at(-1);
}
