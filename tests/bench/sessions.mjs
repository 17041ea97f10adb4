// What a session costs: memory while it rests, and its login.
import { load, startBoshd } from './programs.mjs';
import { bar, number, text } from './report.mjs';
import { affordable, limitRemark, medianOf, withTarget } from './rounds.mjs';
import { boshd, peersFor, transports, two, web } from './shapes.mjs';

// --- memory ---

const bosh = { ...two, name: 'BOSH' };
const https = { ...bosh, name: 'BOSH, https', most: 18432, start: (server) => startBoshd(server, { tls: true }) };
const most = new Map([[bosh, 4096], [web, 6144]]);

function restingCases(context) {
  const few = context.quick ? 50 : 1000;
  const many = affordable(context.quick ? 200 : 9000);
  const cases = [bosh, web].flatMap((shape) => [
    { ...boshd, shape, sessions: few },
    { ...boshd, shape, sessions: many, after: context.quick ? 1 : 60 },
  ]);
  cases.push({ ...boshd, start: https.start, shape: https, sessions: context.quick ? 50 : Math.min(many, 3000) });
  for (const shape of [bosh, web])
    for (const peer of peersFor(context, shape)) cases.push({ ...peer, shape, sessions: few });
  return cases;
}

function restingRow(subject, seen) {
  const { name, shape, sessions, failed, peer } = subject;
  const row = { case: shape.name, subject: name, sessions, failed, resident: seen?.resident, seen, bars: {} };
  if (!peer) row.bars.resident = { most: shape.most ?? most.get(shape) };
  if (!seen?.after) return row;
  return { ...row, ratio: seen.after / seen.before, bars: { ...row.bars, ratio: { most: 1.2 } } };
}

async function memory(context) {
  const rest = context.quick ? 0 : 40;
  const rows = [];
  for (const subject of restingCases(context)) {
    const { name, shape, sessions, start, after = 0 } = subject;
    const options = { ...shape.options, mode: 'idle', sessions, rest, after };
    subject.measure = () => withTarget(start, (target) => load(target, options));
    rows.push(restingRow(subject, await context.attempt(`memory, ${shape.name}: ${name}, ${sessions} sessions`, subject)));
  }
  return {
    title: 'What an idle session keeps in memory',
    about: `Resident bytes for each session, ${rest} seconds after the last login, beyond what the process has after 200 ` +
      'sessions have come and gone; measured once. Then all leave at once: ' +
      `what the process has a minute later, in multiples of what it had before them.${limitRemark(9000)}`,
    columns: [text('clients', 'case'), text('', 'subject'), number('sessions', 'sessions', 0),
      number('bytes each', 'resident', 0), bar('bar', 'resident'), number('after / before', 'ratio', 2), bar('bar', 'ratio')],
    rows,
  };
}

// --- login ---

function loginRow(shape, subject, sessions, rounds) {
  const row = {
    case: shape.name, subject: subject.name, sessions, failed: subject.failed,
    setup_us: medianOf(rounds, 'setup_us'), seconds: medianOf(rounds, 'seconds'), rounds,
  };
  if (subject.failed) return row;
  // One that failed has made the run fail.
  row.refused = rounds.every(Boolean) ? rounds.reduce((sum, { failed }) => sum + failed, 0) : undefined;
  return subject.peer ? row : { ...row, bars: { setup_us: { most: 150 } } };
}

async function login(context) {
  const rows = [];
  const wanted = context.quick ? 200 : 5000;
  for (const shape of transports) {
    const cases = [{ ...boshd, sessions: affordable(wanted), rounds: context.rounds },
      ...peersFor(context, shape === web ? web : bosh).map((peer) => ({ ...peer, sessions: 500, rounds: 1 }))];
    for (const subject of cases) {
      const { name, start, sessions, rounds } = subject;
      subject.measure = () =>
        withTarget(start, (target) => load(target, { ...shape.options, mode: 'login', sessions }));
      const seen = await context.inRounds(`login, ${shape.name}`, [subject], rounds);
      rows.push(loginRow(shape, subject, sessions, seen[name]));
    }
  }
  return {
    title: 'What a login costs',
    about: 'All come at the same moment and log in by SASL ANONYMOUS: five requests each, or as many messages. CPU time of ' +
      `the server, and seconds until the last is in.${limitRemark(wanted)}`,
    columns: [text('clients', 'case'), text('', 'subject'), number('sessions', 'sessions', 0),
      number('CPU µs each', 'setup_us', 1), bar('bar', 'setup_us'), number('seconds', 'seconds', 2),
      number('refused', 'refused', 0)],
    rows,
  };
}

export const sessionParts = { memory, login };
