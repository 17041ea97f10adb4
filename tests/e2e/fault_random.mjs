// Chance that comes back: the same key gives the same numbers.
import { createHash } from 'node:crypto';

// A function that gives numbers in [0, 1).
export function generator(...key) {
  let count = 0;
  return () => createHash('sha256').update(`${key.join(' ')} ${count++}`).digest().readUInt32BE() / 2 ** 32;
}

export const choice = (random, list) => list[Math.floor(random() * list.length)];
export const between = (random, low, high) => low + random() * (high - low);

// `bytes` in several pieces.
export function pieces(random, bytes, count) {
  const cuts = Array.from({ length: count - 1 }, () => Math.floor(random() * bytes.length)).sort((a, b) => a - b);
  return [0, ...cuts].map((cut, index) => bytes.subarray(cut, cuts[index] ?? bytes.length));
}
