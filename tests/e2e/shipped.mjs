// The configurations of etc/ as they are shipped, but for what a test must have of its own: ports, files, users.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const etc = new URL('../../etc/', import.meta.url);

export const shippedFile = (name) => fileURLToPath(new URL(name, etc));

// Puts others in the place of words that have to be there. `changes` is pairs of a text or a global pattern and what
// to put.
export function changed(text, changes) {
  return changes.reduce((before, [what, put]) => {
    const there = typeof what === 'string' ? before.includes(what) : before.search(what) >= 0;
    if (!there) throw new Error(`${what} is not in\n${before}`);
    return before.replaceAll(what, put);
  }, text);
}

export const shipped = (name, changes = []) => changed(readFileSync(shippedFile(name), 'utf8'), changes);

// What a configuration tells of boshd's own: the lines of its comments that stand four blanks further in.
export function boshdSettings(name) {
  const lines = readFileSync(shippedFile(name), 'utf8').matchAll(/^(?:#|--) {5}(.*)$/gm);
  return Array.from(lines, ([, line]) => `${line}\n`).join('');
}
