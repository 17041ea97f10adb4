// Programs that a test starts: each has a temporary directory and a free port, and is stopped by SIGTERM.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Watch } from './watch.js';

const patience = 10_000;  // until a program that doesn't end is killed

export async function freePort() {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

// A temporary directory. As root, everything in it belongs to `user`, and `command` runs a program as that user. The
// program ends with the test, also when that is killed.
export class Directory {
  #owner = null;

  constructor(name, user = null) {
    this.path = mkdtempSync(join(tmpdir(), `${name}-`));
    if (user && process.getuid() === 0)
      this.#owner = ['-u', '-g'].map((which) => Number(execFileSync('id', [which, user])));
    this.#own(this.path);
  }

  #own(path) {
    if (this.#owner) chownSync(path, ...this.#owner);
  }

  file(name, text) {
    const path = join(this.path, name);
    writeFileSync(path, text);
    this.#own(path);
    return path;
  }

  folder(name) {
    const path = join(this.path, name);
    mkdirSync(path);
    this.#own(path);
    return path;
  }

  command(...words) {
    const [uid, gid] = this.#owner ?? [];
    const as = this.#owner ? [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : [];
    return ['setpriv', '--pdeathsig=TERM', ...as, ...words];
  }

  remove() {
    rmSync(this.path, { recursive: true, force: true });
  }
}

// Runs a program until `ready` matches its output, which is in `match` then; rejects with that output when it ends
// first. Nothing is left of it and of its directory then, nor after `stop`.
export async function startProgram({ directory, command: [program, ...args], ready, env = {} }) {
  const child = spawn(program, args, {
    cwd: directory.path, env: { ...process.env, ...env }, stdio: ['ignore', 'pipe', 'pipe'],
  });
  const watch = new Watch();
  const running = { pid: child.pid, log: '', match: null, code: null };  // setpriv has become the program
  running.logged = (what, done) => watch.until(what, () => done(running.log), () => running.log);
  const ended = running.ended = new Promise((resolve) => child.on('close', resolve).on('error', resolve));
  running.stop = async () => {
    child.kill('SIGTERM');
    const late = setTimeout(() => child.kill('SIGKILL'), patience);
    await ended;
    clearTimeout(late);
    running.code = child.exitCode ?? child.signalCode;
    directory.remove();
  };
  const started = new Promise((resolve, reject) => {
    const read = (chunk) => {
      running.log += chunk;
      running.match ??= ready.exec(running.log);
      if (running.match) resolve();
      watch.changed();
    };
    child.stdout.on('data', read);
    child.stderr.on('data', read);
    ended.then((why) => reject(new Error(`${program} ended with ${why}:\n${running.log}`)));
  });
  try {
    await started;
  } catch (error) {
    await running.stop();
    throw error;
  }
  return running;
}

// All of them, also when one complains.
export async function stopEach(servers) {
  const ends = [];
  for (const server of servers) ends.push(...await Promise.allSettled([server?.stop()]));
  const failed = ends.find(({ status }) => status === 'rejected');
  if (failed) throw failed.reason;
}
