// Measuring the same things several times, and what comes of it.
import { execFileSync } from 'node:child_process';
import { isStopped, startServer } from './programs.mjs';

export function median(values) {
  const sorted = values.filter(Number.isFinite).sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// Of one figure in all rounds; rounds that failed don't count.
export const medianOf = (rounds, key) => median(rounds.map((figures) => figures?.[key]));

// Paired: what the machine does in a round, it does to both.
export const ratioOf = (mine, others, key) => median(mine.map((figures, i) => figures?.[key] / others[i]?.[key]));

// A run: its settings, and what went wrong so far.
export class Context {
  failures = [];

  constructor(settings) {
    Object.assign(this, settings);
  }

  tell(line) {
    process.stderr.write(`${line}\n`);
  }

  // What `measure` returns; undefined when that failed. A peer that fails is not tried again.
  async attempt(what, subject) {
    if (subject.failed) return undefined;
    this.tell(`  ${what}`);
    try {
      return await subject.measure();
    } catch (error) {
      if (isStopped()) throw error;
      this.tell(`  FAILED ${what}: ${error.message}`);
      if (subject.peer) subject.failed = symptom(error);
      else this.failures.push(`${what}: ${error.message.split('\n')[0]}`);
      return undefined;
    }
  }

  // Each subject once in every round, one after the other, backwards in every second one. By their names.
  async inRounds(title, subjects, rounds = this.rounds) {
    const seen = Object.fromEntries(subjects.map(({ name }) => [name, []]));
    for (let round = 0; round < rounds; ++round)
      for (const subject of round % 2 ? [...subjects].reverse() : subjects)
        seen[subject.name][round] =
          await this.attempt(`${title}: ${subject.name}, round ${round + 1} of ${rounds}`, subject);
    return seen;
  }
}

// What a table says of a peer.
function symptom({ message, seen }) {
  if (seen?.lost > 0) return 'stalls';
  if (seen?.failed > 0) return `loses ${seen.failed} sessions`;
  return /could not log in/.test(message) ? 'does not let all in' : 'fails';
}

// The target is fresh for each measurement, so that none inherits another's sessions.
export async function withTarget(startTarget, use) {
  const server = await startServer();
  try {
    const target = await startTarget(server);
    try {
      return await use(target, server);
    } finally {
      await target.stop();
    }
  } finally {
    await server.stop();
  }
}

const mostDescriptors = Number(execFileSync('sh', ['-c', 'ulimit -Hn'], { encoding: 'utf8' })) || Infinity;

// So many sessions, or as many as descriptors allow: each takes two in boshd, and as many in the load. Those at work
// have another connection.
export const affordable = (wanted) => Math.max(100, Math.min(wanted, Math.floor((mostDescriptors - 1000) / 2)));

export const limitRemark = (wanted) => affordable(wanted) === wanted ? ''
  : ` Only ${affordable(wanted)} sessions instead of ${wanted}: \`ulimit -Hn\` says ${mostDescriptors} here.`;
