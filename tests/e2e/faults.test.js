// Strophe.js and a small server talk through boshd over a network that breaks. Nothing may be lost, come twice or out
// of order at either end, and no session may end before its client ends it.
//
//   FAULT_MESSAGES=2000 FAULT_RATE=0.15 FAULT_RUNS=20 node --test tests/e2e/faults.test.js
//
// FAULT_RUNS clients at a time, each with a seed and a proxy of its own; FAULT_SEED is the first client's. The same
// seed gives the same faults at the same requests, not the same times.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { FaultClient } from './fault_client.mjs';
import { Heard, talk } from './fault_messages.mjs';
import { startFaultProxy } from './fault_proxy.mjs';
import { startFaultServer } from './fault_server.mjs';
import { startBoshd } from './servers.mjs';

const setting = (name, otherwise) => Number(process.env[name] ?? otherwise);
const messages = setting('FAULT_MESSAGES', 300);
const runs = setting('FAULT_RUNS', 4);
const firstSeed = setting('FAULT_SEED', Date.now() % 1_000_000);
const rates = process.env.FAULT_RATE ? [setting('FAULT_RATE')] : [0.05, 0.15];

const domain = 'fault.test';
const patience = 150_000;  // without any message; Strophe may wait for 66 s

let boshd;
let server;
before(async () => {
  server = await startFaultServer(domain);
  boshd = await startBoshd(`[upstream]\nserver = "127.0.0.1:${server.port}"\n`);
});
after(async () => {
  await server?.stop();
  await boshd?.stop();
});

// Resolves when nothing has moved for too long.
function silence() {
  let timer;
  const happened = new Promise((resolve) => (timer = setTimeout(resolve, patience, 'silence')));
  return { happened, moved: () => timer.refresh(), stop: () => clearTimeout(timer) };
}

// How boshd says that this session ended. The line may come a moment after the client knows it. Other sessions are
// none of its business: a creation request that came twice has made two. The log shows only the beginning of a sid.
async function sessionEnd(sid) {
  const ours = (line) => line.includes('session-end ') && line.includes(`sid=${sid.slice(0, 6)}`);
  const ends = () => boshd.log.split('\n').filter(ours);
  for (let tries = 0; tries < 100 && ends().length === 0; ++tries) await sleep(50);
  return ends().find((line) => line.includes('reason=client-terminated')) ?? ends()[0] ?? 'no session-end';
}

// What the client would have heard, had it taken the answers by rid.
function byRid(trace) {
  const answers = new Map();
  for (const { rid, received } of trace) if (received) answers.set(rid, received);
  const inOrder = [...answers].sort(([a], [b]) => a - b).flatMap(([, received]) => received);
  return inOrder.filter((number, index) => number !== index + 1).length;
}

// The requests around the first thing that was wrong, with all tries of each.
function around(trace, wrong) {
  const range = (list = []) => (list.length ? `${list[0]}-${list.at(-1)}` : '-');
  const near = ({ begin, end = Infinity }) => begin < wrong.at + 100 && end > wrong.at - 500;
  const rids = trace.filter(near).map(({ rid }) => rid);
  const shown = trace.filter(({ rid }) => rid >= Math.min(...rids) - 2 && rid <= Math.max(...rids));
  return shown.map((entry) => `${entry.begin - wrong.at}..${(entry.end ?? NaN) - wrong.at} ms:`
    + ` rid ${entry.rid} try ${entry.attempt} ${entry.fault} ${entry.killed ?? ''} sent ${range(entry.sent)}`
    + ` answer ${entry.status ?? 'none'} with ${range(entry.received)}`).join('\n');
}

async function run(seed, rate) {
  const proxy = await startFaultProxy({ target: boshd.url, seed, rate });
  const quiet = silence();
  const client = new FaultClient(proxy.url, seed);
  const [atClient, atServer] = ['server', 'client'].map((from) => new Heard(messages, `${seed} ${from}`, quiet.moved));
  try {
    await Promise.race([client.login(domain, (text) => atClient.add(text)), quiet.happened]);
    const peer = server.peer(client.jid);
    peer?.listen((text) => atServer.add(text));
    const talks = peer && [
      talk(messages, atServer.seed, (...burst) => client.say(...burst)),
      talk(messages, atClient.seed, (...burst) => peer.say(...burst)),
    ];
    const complete = talks && Promise.all([atClient.complete, atServer.complete, ...talks]);
    await Promise.race([complete, client.over, quiet.happened]);
    const left = await client.leave();
    const end = client.sid ? await sessionEnd(client.sid) : 'no session';
    return report({ seed, rate, proxy, client, atClient, atServer, left, end });
  } finally {
    quiet.stop();
    await proxy.stop();
  }
}

function report({ seed, rate, proxy, client, atClient, atServer, left, end }) {
  const { trace } = proxy;
  const faulty = trace.filter(({ fault }) => fault).length;
  const good = [atClient, atServer].every((heard) => heard.lost === 0 && heard.wrong.length === 0)
    && left && !proxy.failure && end.includes('reason=client-terminated');
  const lines = [
    `FAULT_SEED=${seed} FAULT_RATE=${rate} FAULT_MESSAGES=${messages} FAULT_RUNS=1`,
    `${trace.length} requests, ${faulty} with faults`,
    `client ${atClient}; answers by rid: ${byRid(trace)} in a wrong place`,
    `server ${atServer}`,
  ];
  if (good) return { good, text: lines.join('; ') };
  lines.push(client.events.join(' '), end, String(proxy.failure?.stack ?? ''));
  const wrong = [...atClient.wrong, ...atServer.wrong].sort((a, b) => a.at - b.at);
  const first = wrong[0] ?? { at: Date.now(), what: 'the end' };
  lines.push(`first: ${first.what} ${first.number ?? ''} after ${first.highest ?? ''}`, around(trace, first));
  return { good, text: lines.join('\n') };
}

for (const rate of rates)
  test(`${runs} × ${messages} messages each way, faults in ${100 * rate} %`, async (context) => {
    const reports = await Promise.all(Array.from({ length: runs }, (_, index) => run(firstSeed + index, rate)));
    for (const { good, text } of reports) if (good) context.diagnostic(text);
    const bad = reports.filter(({ good }) => !good).map(({ text }) => text);
    assert.equal(bad.length, 0, `${bad.length} of ${runs} runs failed\n${bad.join('\n\n')}`);
  });
