// HAProxy as etc/haproxy has it, in front of two boshd: each session stays at its node, a node that drains gets no new
// ones, and when one is lost only its own sessions are.
import './xhr.mjs';
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { conditionOf, openConnections, Session } from './bosh_session.mjs';
import { makeAuthority } from './certificates.mjs';
import { startEchoServer } from './echo_server.mjs';
import { choice, generator } from './fault_random.mjs';
import { startHaproxyHttps } from './haproxy.mjs';
import { freePort, stopEach } from './process.mjs';
import { boshdSettings, changed } from './shipped.mjs';
import { startBoshdWith } from './servers.mjs';
