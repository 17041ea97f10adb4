// Numbered messages from 1 on, and what became of them at the other end.
import { setTimeout as sleep } from 'node:timers/promises';
import { between, generator } from './fault_random.mjs';

const filler = '<b>&amp;"\' ü😀 ]]> ';

// The text of one message. Mostly short, some fill several segments.
export function text(seed, number) {
  const random = generator(seed, 'text', number);
  const size = random() < 0.02 ? 4000 : 80 * random();
  return `${number} ${filler.repeat(size / filler.length)}.`;
}

// Gives all messages to `say` (an array of numbers and texts at a time), at a pace of its own, until it returns false.
export async function talk(count, seed, say) {
  const random = generator(seed, 'pace');
  for (let number = 1; number <= count;) {
    const burst = [];
    for (let size = Math.ceil(between(random, 0, 3)); size > 0 && number <= count; --size, ++number)
      burst.push({ number, text: text(seed, number) });
    if (!(await say(burst, random))) return;
    await sleep(between(random, 0, 100));
  }
}

export class Heard {
  #seen = new Set();
  #highest = 0;
  #progress;

  // `progress` is called at each message.
  constructor(count, seed, progress = () => {}) {
    Object.assign(this, { count, seed, wrong: [], duplicated: 0, disordered: 0, damaged: 0 });
    this.complete = new Promise((resolve) => (this.#progress = () => {
      progress();
      if (this.#seen.size === count) resolve();
    }));
  }

  get lost() {
    return this.count - this.#seen.size;
  }

  add(received) {
    const number = Number.parseInt(received, 10);
    if (received !== text(this.seed, number)) this.#note('damaged', number);
    else if (this.#seen.has(number)) this.#note('duplicated', number);
    else if (number < this.#highest) this.#note('disordered', number);
    this.#seen.add(number);
    this.#highest = Math.max(this.#highest, number);
    this.#progress();
  }

  #note(what, number) {
    ++this[what];
    this.wrong.push({ at: Date.now(), what, number, highest: this.#highest });
  }

  toString() {
    const { count, lost, duplicated, disordered, damaged } = this;
    const missing = Array.from({ length: count }, (_, index) => index + 1).find((number) => !this.#seen.has(number));
    return `of ${count}: ${lost} lost${lost ? ` (from ${missing} on)` : ''}, ${duplicated} duplicated, `
      + `${disordered} out of order, ${damaged} damaged`;
  }
}
