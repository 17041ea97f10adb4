// Strophe.js itself, unchanged, with its own waits between tries.
import './xhr.mjs';
import { setTimeout as sleep } from 'node:timers/promises';
import { $msg, $pres, Strophe } from 'strophe.js';

const { Status } = Strophe;
const nameOf = (status) => Object.keys(Status).find((name) => Status[name] === status);
Strophe.setLogLevel(Strophe.LogLevel.FATAL);

// Like a browser's, it fails when a response breaks off.
const Whole = globalThis.XMLHttpRequest;
globalThis.XMLHttpRequest = class extends Whole {
  send(body) {
    super.send(body);
    this.request.on('response', (response) => response.on('error', () => {
      if (this.readyState === 4) return;
      Object.assign(this, { readyState: 4, status: 0, responseText: '' });
      this.onreadystatechange?.();
    }));
  }
};

const longestEnd = 120_000;  // Strophe's own is 3 s, less than it waits before a third try
const mostWaiting = 100;     // messages, so that a client that waits doesn't come with too large a body

export class FaultClient {
  #connection;
  #report = () => {};

  constructor(url, rid) {
    this.#connection = new Strophe.Connection(url);
    this.#connection._proto.rid = rid;
    this.events = [];
    this.over = new Promise((resolve) => (this.ended = resolve));
  }

  get jid() {
    return this.#connection.jid;
  }

  // The text of each message goes to `hear`.
  async login(domain, hear) {
    const connected = new Promise((resolve) => (this.#report = (status) => status === Status.CONNECTED && resolve()));
    this.#connection.connect(domain, '', (status, condition) => {
      this.events.push(nameOf(status) + (condition ? `:${condition}` : ''));
      this.#report(status);
      if (status === Status.DISCONNECTED) this.ended();
    }, null, null, null, null, longestEnd);
    await Promise.race([connected, this.over]);
    this.sid = this.#connection._proto.sid;
    this.#connection.addHandler((stanza) => {
      hear(stanza.getElementsByTagName('body')[0].textContent);
      return true;
    }, null, 'message');
    this.#connection.send($pres());
  }

  // False when nothing can be said any more.
  async say(messages, random) {
    while (this.#connection.connected && this.#connection._data.length > mostWaiting) await sleep(100);
    if (!this.#connection.connected) return false;
    for (const { number, text } of messages)
      this.#connection.send($msg({ to: 'server', type: 'chat', id: `n${number}` }).c('body').t(text));
    if (random() < 0.5) this.#connection.flush();
    return true;
  }

  // False when the end was not the client's own.
  async leave() {
    if (!this.#connection.connected) return false;
    this.#connection.disconnect();
    await this.over;
    return this.events.join() === 'CONNECTING,CONNECTED,DISCONNECTING,DISCONNECTED';
  }
}
