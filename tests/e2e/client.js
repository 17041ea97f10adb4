// A chat client for the scenarios, on the real Strophe.js. Runs in Node and in the browser.
import { $iq, $msg, $pres, Strophe } from 'strophe.js';

Strophe.setLogLevel(Strophe.LogLevel.FATAL);

const patience = 30_000;
const { Status } = Strophe;
const failures = [Status.CONNFAIL, Status.AUTHFAIL, Status.ERROR, Status.CONNTIMEOUT];

// Resolves when `done` says so after some event of the client; rejects when that takes too long.
function wait(client, what, done) {
  return new Promise((resolve, reject) => {
    const check = () => {
      if (!done()) return;
      clearTimeout(timer);
      client.watchers.delete(check);
      resolve();
    };
    const timer = setTimeout(() => {
      client.watchers.delete(check);
      reject(new Error(`${client.jid}: no ${what} within ${patience} ms; events: ${client.events.join(', ')}`));
    }, patience);
    client.watchers.add(check);
    check();
  });
}

export class Client {
  constructor(url, options = {}) {
    this.connection = new Strophe.Connection(url, options);
    this.watchers = new Set();
    this.events = [];
    this.messages = [];
    this.presences = [];
    this.connection.xmlOutput = (sent) => {
      this.mechanism = sent.getElementsByTagName('auth')[0]?.getAttribute('mechanism') ?? this.mechanism;
    };
  }

  // Logs in. Resolves with 'connected', or with what Strophe says instead: { status, condition }.
  async connect(jid, password = '') {
    this.jid = jid;
    return this.#run((report) => this.connection.connect(jid, password, report));
  }

  // Takes up the session that an earlier page had.
  async restore() {
    this.jid = 'restored';
    return this.#run((report) => this.connection.restore(null, report));
  }

  async #run(begin) {
    let outcome = null;
    begin((status, condition) => {
      this.events.push(Object.keys(Status).find((name) => Status[name] === status));
      this.disconnected = status === Status.DISCONNECTED;
      if (status === Status.CONNECTED || status === Status.ATTACHED) {
        this.#listen();
        outcome ??= 'connected';
      }
      if (failures.includes(status)) outcome ??= { status: this.events.at(-1), condition };
      this.#changed();
    });
    await wait(this, 'end of the login', () => outcome);
    return outcome;
  }

  #listen() {
    const { connection } = this;
    this.jid = connection.jid;
    connection.addHandler((stanza) => {
      const body = stanza.getElementsByTagName('body')[0];
      if (body) this.messages.push({ from: stanza.getAttribute('from'), text: body.textContent });
      this.onMessage?.(this.messages.at(-1));
      this.#changed();
      return true;
    }, null, 'message');
    connection.addHandler((stanza) => {
      this.presences.push({ from: stanza.getAttribute('from'), type: stanza.getAttribute('type') });
      this.#changed();
      return true;
    }, null, 'presence');
  }

  #changed() {
    for (const check of [...this.watchers]) check();
  }

  say(to, text) {
    this.connection.send($msg({ to, type: 'chat' }).c('body').t(text));
  }

  presence(attributes = {}) {
    this.connection.send($pres(attributes));
  }

  iq(attributes, namespace, fill = (stanza) => stanza) {
    return new Promise((resolve, reject) => {
      const stanza = fill($iq(attributes).c('query', { xmlns: namespace }));
      this.connection.sendIQ(stanza, resolve, (error) => reject(new Error(Strophe.serialize(error) ?? 'timeout')), patience);
    });
  }

  // The texts of those messages that begin with the tag, once there are so many.
  async received(tag, count) {
    const mine = () => this.messages.map(({ text }) => text).filter((text) => text.startsWith(tag));
    await wait(this, `${count} messages ${tag}`, () => mine().length >= count);
    return mine();
  }

  presenceFrom(from, type) {
    return wait(this, `presence ${type} from ${from}`,
      () => this.presences.some((presence) => presence.from === from && presence.type === type));
  }

  openRequests() {
    return this.connection._proto._requests.length;
  }

  async disconnect() {
    this.connection.disconnect();
    await wait(this, 'end', () => this.disconnected);
  }
}
