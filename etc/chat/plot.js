// The round trips and bytes of messages, over BOSH and over WebSocket: two small plots, by the number of the message.

export const transports = { bosh: 'BOSH', websocket: 'WebSocket' };

const margin = { top: 6, right: 8, bottom: 22, left: 50 };
const fewest = 10;  // messages that an axis has room for
const most = 200;   // of each transport, the latest

function draw(name, attributes, ...children) {
  const made = document.createElementNS('http://www.w3.org/2000/svg', name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

const number = (value) => (value < 10 ? Number(value.toFixed(1)) : Math.round(value)).toLocaleString('en');

// The numbers 1, 2 and 5 times a power of ten, from the last not above `low` to the first not below `high`.
function niceNumbers(low, high) {
  const found = [];
  for (let power = 10 ** Math.floor(Math.log10(low)); !(found.at(-1) >= high); power *= 10)
    for (const factor of [1, 2, 5]) if (!(found.at(-1) >= high)) found.push(factor * power);
  return found.slice(Math.max(0, found.findLastIndex((value) => value <= low)));
}

const niceStep = (end, parts) => niceNumbers(end / parts, end / parts).at(-1);

// Both scales: `ticks`, and `at(value)` from 0 to 1.
function linear(values, parts) {
  const highest = Math.max(...values, 1);
  const step = niceStep(highest, parts);
  const count = Math.ceil(highest / step);
  const ticks = Array.from({ length: count + 1 }, (_, index) => index * step);
  return { ticks, at: (value) => value / ticks.at(-1) };
}

function logarithmic(values) {
  const lowest = Math.max(Math.min(...values), 0.1);
  const ticks = niceNumbers(lowest, Math.max(...values, lowest * 10));
  return { ticks, at: (value) => Math.max(0, Math.log(value / ticks[0]) / Math.log(ticks.at(-1) / ticks[0])) };
}

const label = (text, x, y, anchor) => draw('text', { class: 'tick', x, y, 'text-anchor': anchor }, text);

// Circles and squares, so that colour isn't all that tells them apart.
function point(transport, x, y, size, text) {
  const title = draw('title', {}, text);
  if (transport === 'bosh') return draw('circle', { class: 'point', cx: x, cy: y, r: size / 2 }, title);
  const side = size * 0.9;
  return draw('rect', { class: 'point', x: x - side / 2, y: y - side / 2, width: side, height: side }, title);
}

// One of the two: `key` of each message, on a scale.
class Plot {
  constructor(svg, key, scale) {
    Object.assign(this, { svg, key, scale });
  }

  draw(series) {
    const { width, height } = this.svg.getBoundingClientRect();
    if (!width || !height) return;
    const [right, bottom] = [width - margin.right, height - margin.bottom];
    const values = Object.values(series).flatMap((messages) => messages.map((message) => message[this.key]));
    const numbers = Object.values(series).flatMap((messages) => messages.map((message) => message.number));
    const first = Math.min(...numbers);
    const last = Math.max(...numbers, first + fewest - 1);
    const scale = this.scale(values, height < 130 ? 2 : 4);
    const x = (count) => margin.left + 6 + ((right - margin.left - 12) * (count - first)) / (last - first);
    const y = (value) => bottom - (bottom - margin.top) * scale.at(value);
    this.svg.setAttribute('viewBox', `0 0 ${width} ${height}`);
    this.svg.replaceChildren(
      ...this.#rows(scale.ticks, y, right), ...this.#columns(first, last, x, bottom),
      ...Object.entries(series).map(([transport, messages]) => this.#line(transport, messages, x, y)));
  }

  // Only powers of ten where there is no room for more.
  #rows(ticks, y, right) {
    const sparse = (ticks.length - 1) * 14 > y(ticks[0]) - y(ticks.at(-1));
    return ticks.filter((tick) => !sparse || Number.isInteger(Math.log10(tick))).flatMap((tick) => {
      const at = Math.round(y(tick)) + 0.5;
      return [
        draw('line', { class: 'grid', x1: margin.left, x2: right, y1: at, y2: at }),
        label(number(tick), margin.left - 7, at + 4, 'end'),
      ];
    });
  }

  #columns(first, last, x, bottom) {
    const step = Math.max(1, niceStep(last - first, 6));
    const counts = [];
    for (let count = Math.ceil(first / step) * step; count <= last; count += step) counts.push(count);
    return [label('message', 0, bottom + 17, 'start'), ...counts.map((count) => label(count, x(count), bottom + 17, 'middle'))];
  }

  #line(transport, messages, x, y) {
    const places = messages.map((message) => [x(message.number), y(message[this.key]), message]);
    const size = messages.length > 60 ? 3.5 : 6.5;
    return draw('g', { class: `series ${transport}` },
      draw('polyline', { points: places.map(([left, top]) => `${left.toFixed(1)},${top.toFixed(1)}`).join(' ') }),
      ...places.map(([left, top, { number: count, time, bytes }]) =>
        point(transport, left, top, size, `${transports[transport]}, message ${count}: ${number(time)} ms, ${bytes} bytes`)));
  }
}

export class Plots {
  #series = { bosh: [], websocket: [] };  // messages: { number, time, bytes }

  constructor(element) {
    this.element = element;
    this.plots = [
      new Plot(element.querySelector('#plot-time'), 'time', logarithmic),
      new Plot(element.querySelector('#plot-bytes'), 'bytes', linear),
    ];
    new ResizeObserver(() => this.#draw()).observe(element);
  }

  add(transport, { time, bytes }) {
    const messages = this.#series[transport];
    messages.push({ number: (messages.at(-1)?.number ?? 0) + 1, time, bytes });
    if (messages.length > most) messages.shift();
    this.#draw();
  }

  #draw() {
    const any = Object.values(this.#series).some((messages) => messages.length);
    this.element.classList.toggle('empty', !any);
    if (!any) return;
    for (const plot of this.plots) plot.draw(this.#series);
    for (const [transport, messages] of Object.entries(this.#series)) {
      if (!messages.length) continue;
      const middle = (key) => number(median(messages.map((message) => message[key])));
      this.element.querySelector(`#legend .${transport} dd`).textContent = `${middle('time')} ms, ${middle('bytes')} bytes`;
    }
  }
}
