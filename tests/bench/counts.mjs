// What does not depend on the machine's mood: system calls and instructions for a stanza; and what the parts of boshd
// cost by themselves.
import { execFileSync } from 'node:child_process';
import { load, runProgram, startBoshd, startFloor, startServer } from './programs.mjs';
import { number, text } from './report.mjs';
import { shapes } from './shapes.mjs';

const sessions = 20;

function isInstalled(program) {
  try {
    execFileSync(program, ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

// What it has printed in the end, and how many stanzas went through it.
async function printed(start, wrapper, options) {
  const server = await startServer();
  try {
    const target = await start(server, { wrapper });
    try {
      const { total = 0 } = await load(target, { ...options, sessions, server: 0, warmup: 0 });
      return { log: await target.ended(), total };
    } finally {
      await target.stop();
    }
  } finally {
    await server.stop();
  }
}

// Counts of a run with stanzas without those of the same logins alone, for each stanza. It has to be long enough that
// the connections that sessions open later don't count.
async function perStanza(context, start, wrapper, { options }, read) {
  const all = await printed(start, wrapper, { ...options, seconds: context.quick ? 1 : Math.max(10, context.seconds) });
  const logins = await printed(start, wrapper, { ...options, mode: 'login' });
  const [with_, without] = [read(all.log), read(logins.log)];
  return Object.fromEntries(Object.entries(with_)
    .map(([name, count]) => [name, (count - (without[name] ?? 0)) / all.total]));
}

async function counted(context, title, wrapper, read) {
  const rows = [];
  for (const shape of shapes)
    for (const [name, start] of [['floor', startFloor], ['boshd', startBoshd]]) {
      const measure = () => perStanza(context, start, wrapper, shape, read);
      const counts = await context.attempt(`${title}, ${shape.name}: ${name}`, { measure });
      if (counts) rows.push({ case: shape.name, subject: name, counts });
    }
  return rows;
}

// --- calls ---

// The summary of `strace -c`: the share of time, seconds, microseconds for a call, calls, errors if any, and the name.
function callsIn(log) {
  const lines = log.slice(log.lastIndexOf('% time')).matchAll(/^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$/gm);
  return Object.fromEntries([...lines].filter(([, , name]) => name !== 'total').map(([, calls, name]) => [name, Number(calls)]));
}

async function calls(context) {
  const title = 'System calls for a stanza';
  if (!isInstalled('strace')) return { title, about: 'Not measured: strace is not installed.', columns: [], rows: [] };
  const rows = await counted(context, 'calls', ['strace', '-f', '-c'], callsIn);
  for (const row of rows) {
    const often = Object.entries(row.counts).filter(([, count]) => count >= 0.01).sort(([, a], [, b]) => b - a);
    row.sum = often.reduce((sum, [, count]) => sum + count, 0);
    row.names = often.map(([name, count]) => `${name} ${count.toFixed(2)}`).join(', ');
  }
  return {
    title,
    about: `By strace, which slows all down: less comes together in one call than at full speed. ${sessions} sessions, ` +
      'saturated. The logins are subtracted, and calls rarer than one in a hundred stanzas left out.',
    columns: [text('clients', 'case'), text('', 'subject'), number('calls', 'sum', 2), text('which', 'names')],
    rows,
  };
}

// --- instructions ---

const instructionsIn = (log) => ({ instructions: Number(/Collected : (\d+)/.exec(log)[1]) });

async function instructions(context) {
  const title = 'Instructions for a stanza';
  if (!isInstalled('valgrind')) return { title, about: 'Not measured: valgrind is not installed.', columns: [], rows: [] };
  const wrapper = ['valgrind', '--tool=callgrind', '--callgrind-out-file=/dev/null'];
  const rows = await counted(context, 'instructions', wrapper, instructionsIn);
  for (const row of rows) row.instructions = row.counts.instructions;
  return {
    title,
    about: `Outside the kernel, by callgrind. ${sessions} sessions, saturated; the logins are subtracted.`,
    columns: [text('clients', 'case'), text('', 'subject'), number('instructions', 'instructions', 0)],
    rows,
  };
}

// --- micro ---

async function micro(context) {
  const words = ['--benchmark_format=json', `--benchmark_min_time=${context.quick ? 0.01 : 0.2}`];
  const measure = async () => JSON.parse((await runProgram('bench_micro', words)).stdout).benchmarks;
  const benchmarks = await context.attempt('micro', { measure }) ?? [];
  for (const { name, error_message: error } of benchmarks)
    if (error) context.failures.push(`micro: ${name}: ${error}`);
  return {
    title: 'What the parts cost by themselves',
    about: 'CPU time, heap allocations and allocated bytes of one operation, without sockets; bench_micro says what each is.',
    columns: [text('operation', 'name'), number('ns', 'ns', 0), number('allocations', 'allocs', 2), number('bytes', 'bytes', 0)],
    rows: benchmarks.map(({ name, cpu_time: ns, allocs, bytes }) => ({ name, ns, allocs, bytes })),
  };
}

export const countParts = { calls, instructions, micro };
