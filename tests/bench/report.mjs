// Tables of what was measured, as Markdown.

// --- Columns ---

// A column: its title, and what it says of a row.
export const text = (title, key) => ({ title, say: (row) => row[key] ?? '' });

// `after`: what follows the number.
export const number = (title, key, digits, after = () => '') => ({
  title, right: true,
  say: (row) => Number.isFinite(row[key]) ? grouped(row[key], digits) + after(row) : row.failed ?? '',
});

// How a figure should be: at most, or at least, and whether it is.
export const bar = (title, key) => ({
  title,
  say: (row) => {
    const wanted = row.bars?.[key];
    if (!wanted || row.failed) return '';
    const words = `${'most' in wanted ? `≤ ${wanted.most}` : `≥ ${wanted.least}`}${wanted.aim ? `, aim ${wanted.aim}` : ''}`;
    return Number.isFinite(row[key]) ? `${words}: ${isMet(wanted, row[key]) ? 'met' : '**missed**'}` : words;
  },
});

export const isMet = ({ most = Infinity, least = -Infinity }, value) => value <= most && value >= least;

export const grouped = (value, digits) =>
  value.toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits });

// --- Text ---

function table({ columns, rows }) {
  if (columns.length === 0) return '';
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const rule = line(columns.map(({ right }) => right ? '--:' : '---'));
  return [line(columns.map(({ title }) => title)), rule, ...rows.map((row) => line(columns.map(({ say }) => say(row))))]
    .join('\n');
}

// Failed attempts of peers say so where their figures would be: only in the first of their numbers.
function section(part) {
  const columns = part.columns.map((column, i) => {
    const first = part.columns.findIndex(({ right, title }) => right && title !== 'sessions');
    return column.right && i !== first ? { ...column, say: (row) => column.say({ ...row, failed: undefined }) } : column;
  });
  return `## ${part.title}\n\n${part.about}\n\n${table({ ...part, columns })}\n`;
}

export function markdown({ machine, date, versions, command, rounds, seconds, parts, failures }) {
  const plots = [['echo', 'cpu.svg', 'CPU time for a stanza'], ['memory', 'memory.svg', 'Memory of an idle session']]
    .filter(([part]) => parts[part]).map(([, file, title]) => `![${title}](${file})\n`);
  const named = Object.entries(versions).map(([name, version]) => `${name} ${version}`).join(', ');
  return `# What boshd costs

- Machine: ${machine.model}, ${machine.cores} cores, ${machine.memory_gib} GiB, Linux ${machine.kernel}. Server, boshd and load share it.
- Date: ${date}
- Versions: ${named}
- Again: \`${command}\`

Rounds: ${rounds}, seconds of each measurement: ${seconds}. Figures are medians of the rounds, ratios are medians of each
round's ratio.

${[...plots, ...Object.values(parts).map(section), ...trouble(failures)].join('\n')}`;
}

const trouble = (failures) =>
  failures.length ? [`## What failed\n\n${failures.map((failure) => `- ${failure}`).join('\n')}\n`] : [];

// Without the functions.
export const json = (results) => `${JSON.stringify({
  ...results,
  parts: Object.fromEntries(Object.entries(results.parts).map(([name, { title, about, rows }]) => [name, { title, about, rows }])),
}, null, 1)}\n`;
