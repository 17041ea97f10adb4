// What a stanza costs: alone, by two threads, in a crowd, and beside a busy neighbour. Each part measures and returns
// a table: its rows as they are written to results.json, and its columns.
import { setTimeout as sleep } from 'node:timers/promises';
import { load, startBoshd } from './programs.mjs';
import { bar, number, text } from './report.mjs';
import { affordable, limitRemark, medianOf, ratioOf, withTarget } from './rounds.mjs';
import { boshd, floor, peersFor, shapes, transports, two, web } from './shapes.mjs';

const sessions = ({ quick }) => quick ? 20 : 100;
const slowest = 500;  // stanzas a second
const affordableRate = 2000;

// --- echo ---

// Programs that compile themselves while they run, or fill caches, get more time for it.
const unhurried = { warmup: 3 };

const echoOf = (context, subject, options) => ({
  ...subject,
  measure: () => withTarget(subject.start, (target) => load(target, {
    sessions: sessions(context), seconds: context.seconds, ...(subject.peer ? unhurried : {}), ...options,
    ...(context.quick ? { warmup: 0 } : {}),
  })),
});

function barOfPeer(name, shape) {
  if (name === 'ejabberd') return shape === web ? { least: 4 } : undefined;
  return shape === web ? undefined : { least: 8 };
}

function echoRow(shape, rate, subject, seen) {
  const rounds = subject.failed ? [] : seen[subject.name];
  const row = {
    case: shape.name, load: rate ? `${rate} a second` : 'saturated', subject: subject.name, failed: subject.failed,
    cpu_us: medianOf(rounds, 'cpu_us'), per_second: medianOf(rounds, 'per_second'),
    p50_ms: medianOf(rounds, 'p50_us') / 1000, p99_ms: medianOf(rounds, 'p99_us') / 1000, rounds,
  };
  if (subject === floor || subject.failed) return row;
  const to = subject.peer ? 'boshd' : 'floor';
  const limit = subject.peer ? barOfPeer(subject.name, shape) : { most: 2, aim: 1.5 };
  return { ...row, to, ratio: ratioOf(rounds, seen[to], 'cpu_us'), bars: { ratio: limit } };
}

async function echo(context) {
  const rows = [];
  for (const shape of shapes)
    for (const rate of [0, slowest]) {
      const seconds = rate && !context.quick ? Math.max(8, context.seconds) : context.seconds;
      const options = { ...shape.options, seconds, rate };
      const subjects = [floor, boshd, ...(rate ? [] : peersFor(context, shape))];
      const measured = subjects.map((subject) => echoOf(context, subject, options));
      const title = `echo, ${shape.name}, ${rate || 'saturated'}`;
      const seen = await context.inRounds(title, measured);
      for (const [i, subject] of subjects.entries())
        rows.push(echoRow(shape, rate, subject === floor ? floor : { ...subject, failed: measured[i].failed }, seen));
    }
  return {
    title: 'What a stanza costs',
    about: `CPU time of the server for a stanza of 150 bytes that goes in and comes back, ${sessions(context)} sessions. ` +
      'The floor is a relay that does the same system calls and next to nothing else. Delays are what the client sees; ' +
      'saturated, they tell how many clients wait in line.',
    columns: [text('clients', 'case'), text('load', 'load'), text('', 'subject'), number('CPU µs', 'cpu_us', 1),
      number('times', 'ratio', 2, (row) => ` × ${row.to}`), bar('bar', 'ratio'), number('stanzas/s', 'per_second', 0),
      number('p50 ms', 'p50_ms', 2), number('p99 ms', 'p99_ms', 2)],
    rows,
  };
}

// --- threads, crowd ---

// Two ways to run boshd; the second one may cost so much more.
async function compared(context, title, ways, most) {
  const rows = [];
  for (const shape of title === 'threads' ? [two, web] : transports) {
    const subjects = Object.entries(ways).map(([name, { start = boshd.start, options = {} }]) =>
      echoOf(context, { name, start }, { ...shape.options, ...options }));
    const seen = await context.inRounds(`${title}, ${shape.name}`, subjects);
    const [first, second] = subjects.map(({ name }) => seen[name]);
    rows.push({
      case: shape.name, before_us: medianOf(first, 'cpu_us'), after_us: medianOf(second, 'cpu_us'),
      ratio: ratioOf(second, first, 'cpu_us'), bars: { ratio: { most } }, rounds: seen,
    });
  }
  const columns = (before, after) => [text('clients', 'case'), number(`CPU µs, ${before}`, 'before_us', 1),
    number(after, 'after_us', 1), number('times', 'ratio', 2), bar('bar', 'ratio')];
  return { columns: columns(...Object.keys(ways)), rows };
}

async function threads(context) {
  const ways = {
    'one thread': { start: (server) => startBoshd(server, { threads: 1 }) },
    'two threads': { start: (server) => startBoshd(server, { threads: 2 }) },
  };
  return {
    title: 'What a second thread costs', about: 'CPU time of boshd for a stanza, saturated.',
    ...await compared(context, 'threads', ways, 1.15),
  };
}

async function crowd(context) {
  const active = sessions(context);
  const wanted = context.quick ? 200 : 9000;
  const online = affordable(wanted);
  const ways = {
    [`${active} sessions`]: {},
    [`${active} of ${online}`]: { options: { bystanders: online - active } },
  };
  return {
    title: 'What it costs that others are online',
    about: `CPU time of boshd for a stanza, saturated; the others only wait.${limitRemark(wanted)}`,
    ...await compared(context, 'crowd', ways, 1.3),
  };
}

// --- neighbour ---

const roomy = { more: 'limits.max_request = "2 MiB"\nlimits.max_stanza = "2 MiB"' };
const neighbours = [
  { name: 'stanzas of 1 MB', options: (shape) => ({ ...shape.options, sessions: 1, bytes: 1_000_000 }) },
  { name: 'a flood', options: () => ({ ...web.options, sessions: 4, bytes: 150, window: 64 }) },
];

// The neighbour begins a second earlier and ends some later.
async function beside(target, options, other, busy) {
  let gone = false;
  const noise = load(other, { ...busy, warmup: 0, seconds: options.seconds + 5, server: 0 });
  noise.finally(() => { gone = true; }).catch(() => {});
  await sleep(1000);
  try {
    const figures = await load(target, options);
    if (gone) throw new Error('its neighbour had gone before it');
    return figures;
  } finally {
    await noise;
  }
}

const startRoomy = (server) => startBoshd(server, roomy);

const sameBoshd = (options, busy) => () =>
  withTarget(startRoomy, (target) => beside(target, options, target, busy));

const anotherBoshd = (options, busy) => () =>
  withTarget(startRoomy, async (target, server) => {
    const other = await startRoomy(server);
    try {
      return await beside(target, options, other, busy);
    } finally {
      await other.stop();
    }
  });

const percent = (part) => Number.isFinite(part) ? `${Math.min(100, Math.round(part * 100))} %` : '-';

async function neighbour(context) {
  const rows = [];
  for (const shape of transports) {
    const options = { ...shape.options, sessions: sessions(context), seconds: context.seconds };
    const measure = () => withTarget(startRoomy, (target) => load(target, options));
    const alone = await context.attempt(`neighbour, ${shape.name}: nobody`, { measure });
    if (!alone) continue;
    // Half of what boshd carries, but not more than this machine does beside the neighbour, its load and its server.
    options.rate = Math.max(1, Math.min(affordableRate, Math.round(alone.per_second / 2)));
    for (const { name, options: busy } of neighbours) {
      const seen = await context.inRounds(`neighbour, ${shape.name}, ${name}`, [
        { name: 'in another boshd', measure: anotherBoshd(options, busy(shape)) },
        { name: 'in the same', measure: sameBoshd(options, busy(shape)) },
      ]);
      const [apart, together] = Object.values(seen);
      rows.push({
        case: shape.name, neighbour: name, rate: options.rate,
        apart_ms: medianOf(apart, 'p99_us') / 1000, together_ms: medianOf(together, 'p99_us') / 1000,
        ratio: ratioOf(together, apart, 'p99_us'), bars: { ratio: { most: 2 } }, rounds: seen,
        held: [apart, together].map((rounds) => percent(medianOf(rounds, 'per_second') / options.rate)).join(', '),
      });
    }
  }
  return {
    title: 'What a busy neighbour does to others',
    about: `The delay (p99) of ${sessions(context)} sessions at half the rate that they would reach alone, 2,000 at most, while others ` +
      'send as fast as it goes: through another boshd on the same machine, or through the same boshd with one thread. ' +
      'Where the rate was not held, all cores were busy, and the delay is that of a queue that grows.',
    columns: [text('clients', 'case'), text('neighbour', 'neighbour'), number('stanzas/s', 'rate', 0),
      number('p99 ms, another boshd', 'apart_ms', 2), number('the same', 'together_ms', 2), number('times', 'ratio', 2),
      bar('bar', 'ratio'), text('rate held', 'held')],
    rows,
  };
}

export const stanzaParts = { echo, threads, crowd, neighbour };
