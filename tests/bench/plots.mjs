// Bar charts as SVG. They stand on a white card of their own, so that they read the same on light and dark pages.
import { grouped } from './report.mjs';

const width = 760;
const left = 150;  // where bars begin
const right = 90;  // room for the value behind the longest
const row = 26;
const gap = 18;  // between groups
const colours = { boshd: '#0b6bcb', floor: '#9aa4b0' };
const otherColour = '#e0a458';

const escaped = (words) => words.replace(/[&<>]/g, (c) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[c]);

const label = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${escaped(words)}</text>`;

function drawBar({ name, value, failed }, y, scale) {
  const long = Number.isFinite(value) ? Math.max(1, value * scale) : 0;
  const said = Number.isFinite(value) ? grouped(value, 1) : failed ?? 'not measured';
  return [
    label(left - 10, y + 17, name, `text-anchor="end"${name === 'boshd' ? ' font-weight="bold"' : ''}`),
    `<rect x="${left}" y="${y + 3}" width="${long.toFixed(1)}" height="${row - 6}" fill="${colours[name] ?? otherColour}"/>`,
    label(left + long + 8, y + 17, said, name === 'boshd' ? 'font-weight="bold"' : ''),
  ];
}

// `groups`: [{ name, bars: [{ name, value, failed }] }]
export function barChart({ title, unit, groups }) {
  const values = groups.flatMap(({ bars }) => bars.map(({ value }) => value)).filter(Number.isFinite);
  const scale = (width - left - right) / Math.max(...values, 1e-9);
  const drawn = [];
  let y = 66;
  for (const { name, bars } of groups) {
    drawn.push(label(20, y + 16, name, 'font-weight="bold"'));
    y += row;
    for (const each of bars) {
      drawn.push(...drawBar(each, y, scale));
      y += row;
    }
    y += gap;
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}" viewBox="0 0 ${width} ${y}" role="img" ` +
    `aria-label="${escaped(title)}" font-family="system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif" font-size="14" fill="#1f2328">
<rect x="0.5" y="0.5" width="${width - 1}" height="${y - 1}" rx="8" fill="#ffffff" stroke="#d0d7de"/>
${label(20, 30, title, 'font-size="18" font-weight="bold"')}
${label(20, 50, unit, 'font-size="13" fill="#59636e"')}
${drawn.join('\n')}
</svg>
`;
}

function grouping(rows, value) {
  const names = [...new Set(rows.map((each) => each.case))];
  return names.map((name) => ({
    name,
    bars: rows.filter((each) => each.case === name)
      .map((each) => ({ name: each.subject, value: value(each), failed: each.failed })),
  }));
}

// Of the results' parts: file names and their contents.
export function plots({ echo, memory }) {
  const drawn = {};
  if (echo)
    drawn['cpu.svg'] = barChart({
      title: 'CPU time for a stanza', unit: 'microseconds of the server for each stanza that comes back; less is better',
      groups: grouping(echo.rows.filter(({ load }) => load === 'saturated'), ({ cpu_us }) => cpu_us),
    });
  if (memory) {
    const few = Math.min(...memory.rows.map(({ sessions }) => sessions));
    drawn['memory.svg'] = barChart({
      title: 'Memory of an idle session', unit: `resident kB for each of ${grouped(few, 0)} sessions; less is better`,
      groups: grouping(memory.rows.filter((each) => each.sessions === few && !each.case.includes('https')),
        ({ resident }) => resident / 1000),
    });
  }
  return drawn;
}
