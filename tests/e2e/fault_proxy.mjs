// A TCP proxy that knows where HTTP requests and responses begin and end, and does harm to some of them.
//
// What it does to a request depends on the seed, on how many rids after the session's first its rid is, and on how
// often it came, never on the order in which things happen: a seed meets the same rids with the same faults again.
// Strophe.js gives up by design after 5 errors in a row, 2 requests being open, and waits 8 s before the third try.
// So the second try of a rid meets a fault at a tenth of the rate, and further tries at none: at most 2 kills a rid.
import { once } from 'node:events';
import net from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { between, choice, generator, pieces } from './fault_random.mjs';

const rateOfTry = (rate, attempt) => [rate, rate / 10][attempt - 1] ?? 0;

// Each takes a Link and ends the exchange or kills the connections.
const faults = {
  async before(link) {
    link.kill();
  },
  async tornRequest(link) {
    link.upstream.write(pieces(link.random, link.request, 2)[0]);
    link.kill();
  },
  async unanswered(link) {
    link.upstream.write(link.request);
    await Promise.race([link.responses.some(), sleep(between(link.random, 0, 100))]);
    link.kill();
  },
  async swallowed(link) {
    link.upstream.write(link.request);
    await link.receive();
    link.kill();
  },
  async tornResponse(link) {
    link.upstream.write(link.request);
    const response = await link.receive();
    if (!response) return;
    const part = response.subarray(0, 1 + Math.floor(link.random() * (response.length - 1)));
    await new Promise((written) => link.client.write(part, written));
    link.kill();
  },
  async delay(link) {
    await slowly(link, () => sleep(between(link.random, 0, 100)));
  },
  async stall(link) {
    await slowly(link, () => sleep(between(link.random, 800, 1200)));
  },
  async split(link) {
    await inPieces(link, link.upstream, link.request);
    const response = await link.receive();
    if (response) await inPieces(link, link.client, response);
  },
};

// Holds either the request or the response.
async function slowly(link, hold) {
  const early = link.random() < 0.5;
  if (early) await hold();
  link.upstream.write(link.request);
  const response = await link.receive();
  if (!early) await hold();
  link.answer(response);
}

async function inPieces(link, socket, bytes) {
  for (const piece of pieces(link.random, bytes, 5)) {
    socket.write(piece);
    await sleep(between(link.random, 0, 5));
  }
}

async function noFault(link) {
  link.upstream.write(link.request);
  link.answer(await link.receive());
}

// The length of the HTTP message at the beginning of `data`, 0 when it isn't whole.
function messageLength(data) {
  const head = data.indexOf('\r\n\r\n');
  if (head < 0) return 0;
  const length = /\r\ncontent-length: *(\d+)/i.exec(data.toString('latin1', 0, head));
  if (!length) throw new Error(`no Content-Length in: ${data.toString('latin1', 0, head)}`);
  const whole = head + 4 + Number(length[1]);
  return data.length < whole ? 0 : whole;
}

// Cuts what a socket receives into HTTP messages.
class Messages {
  #data = Buffer.alloc(0);
  #ended = false;
  #wake = [];

  constructor(socket) {
    socket.on('data', (chunk) => {
      this.#data = Buffer.concat([this.#data, chunk]);
      this.#awake();
    });
    const end = () => {
      this.#ended = true;
      this.#awake();
    };
    socket.on('end', end).on('close', end).on('error', () => {});
  }

  // When anything is there of the next message.
  some() {
    return this.#until(() => this.#data.length > 0);
  }

  // The next message, null when none comes any more.
  async next() {
    await this.#until(() => messageLength(this.#data) > 0);
    const length = messageLength(this.#data);
    if (length === 0) return null;
    const message = this.#data.subarray(0, length);
    this.#data = this.#data.subarray(length);
    return message;
  }

  async #until(done) {
    while (!this.#ended && !done()) await new Promise((wake) => this.#wake.push(wake));
  }
  #awake() {
    for (const wake of this.#wake.splice(0)) wake();
  }
}

const numbers = (bytes) => [...bytes.toString().matchAll(/ id=["']n(\d+)["']/g)].map((match) => Number(match[1]));

// One connection of the client, and the one to boshd that belongs to it.
class Link {
  #killed = false;

  constructor(client, upstream) {
    Object.assign(this, { client, upstream, requests: new Messages(client), responses: new Messages(upstream) });
    for (const socket of [client, upstream]) socket.setNoDelay();
    client.on('close', () => this.#killed || upstream.destroy());
    upstream.on('close', () => this.#killed || client.end());
  }

  async receive() {
    const response = await this.responses.next();
    if (response) {
      this.entry.status = Number(response.toString('latin1', 9, 12));
      this.entry.received = numbers(response);
      this.entry.answer = response;
    }
    return response;
  }

  answer(response) {
    if (response) this.client.write(response);
  }

  // By reset or by an orderly end. boshd may hear of it a second later.
  kill() {
    const cut = (socket, reset) => (reset ? socket.resetAndDestroy() : socket.end());
    const [clientReset, upstreamReset, late] = [this.random() < 0.5, this.random() < 0.5, this.random() < 0.3];
    this.#killed = true;
    this.entry.killed = `${clientReset ? 'RST' : 'FIN'}/${late ? 'late ' : ''}${upstreamReset ? 'RST' : 'FIN'}`;
    cut(this.client, clientReset);
    if (late) setTimeout(cut, 1000, this.upstream, upstreamReset).unref();
    else cut(this.upstream, upstreamReset);
  }

  // Takes one request through. False when no other follows.
  async exchange(begin) {
    this.request = await this.requests.next();
    if (!this.request) return false;
    const { entry, random, act } = begin(this.request);
    Object.assign(this, { entry, random });
    await act(this);
    entry.end = Date.now();
    return !this.#killed;
  }
}

// `target` is boshd's URL. One proxy serves one session. `trace` has an entry for each request that came.
export async function startFaultProxy({ target, seed, rate }) {
  const { hostname, port, pathname } = new URL(target);
  const sockets = new Set();
  const tries = new Map();
  const proxy = { trace: [], failure: null };
  let first;

  const begin = (request) => {
    const rid = Number(/<body[^>]* rid=["'](\d+)["']/.exec(request)[1]);
    first ??= rid;
    const attempt = (tries.get(rid) ?? 0) + 1;
    tries.set(rid, attempt);
    const random = generator(seed, 'fault', rid - first, attempt);
    const name = random() < rateOfTry(rate, attempt) ? choice(random, Object.keys(faults)) : '';
    const entry = { begin: Date.now(), rid: rid - first, attempt, fault: name, sent: numbers(request) };
    proxy.trace.push(entry);
    return { entry, random, act: faults[name] ?? noFault };
  };

  const serve = async (client) => {
    const upstream = net.connect(port, hostname);
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('close', () => sockets.delete(socket));
    }
    const link = new Link(client, upstream);
    while (await link.exchange(begin));
  };

  const server = net.createServer((client) => serve(client).catch((error) => {
    proxy.failure ??= error;
    client.destroy();
  }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy.url = `http://127.0.0.1:${server.address().port}${pathname}`;
  proxy.stop = async () => {
    server.close();
    for (const socket of sockets) socket.destroy();
    await once(server, 'close');
  };
  return proxy;
}
