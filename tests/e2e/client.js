// A chat client for the scenarios, on the real Strophe.js. Runs in Node and in the browser.
import { $iq, $msg, $pres, Strophe } from 'strophe.js';
import { patience, Watch } from './watch.js';

Strophe.setLogLevel(Strophe.LogLevel.FATAL);

const { Status } = Strophe;
const failures = [Status.CONNFAIL, Status.AUTHFAIL, Status.ERROR, Status.CONNTIMEOUT];

export class Client {
  #watch = new Watch();

  constructor(url, options = {}) {
    this.connection = new Strophe.Connection(url, options);
    this.events = [];
    this.messages = [];
    this.presences = [];
    this.connection.xmlOutput = (sent) => {
      const auth = sent.nodeName === 'auth' ? sent : sent.getElementsByTagName('auth')[0];
      this.mechanism = auth?.getAttribute('mechanism') ?? this.mechanism;
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

  // Takes up the session that another program began.
  async attach({ jid, sid, rid }) {
    this.jid = jid;
    return this.#run((report) => this.connection.attach(jid, sid, rid, report));
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
      this.#watch.changed();
    });
    await this.#until('end of the login', () => outcome);
    return outcome;
  }

  #listen() {
    const { connection } = this;
    this.jid = connection.jid;
    connection.addHandler((stanza) => {
      const body = stanza.getElementsByTagName('body')[0];
      if (body) this.messages.push({ from: stanza.getAttribute('from'), text: body.textContent });
      this.onMessage?.(this.messages.at(-1));
      this.#watch.changed();
      return true;
    }, null, 'message');
    connection.addHandler((stanza) => {
      this.presences.push({ from: stanza.getAttribute('from'), type: stanza.getAttribute('type') });
      this.#watch.changed();
      return true;
    }, null, 'presence');
  }

  #until(what, done) {
    return this.#watch.until(what, done, () => `${this.jid}: ${this.events.join(', ')}`);
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
    await this.#until(`${count} messages ${tag}`, () => mine().length >= count);
    return mine();
  }

  presenceFrom(from, type) {
    return this.#until(`presence ${type} from ${from}`,
      () => this.presences.some((presence) => presence.from === from && presence.type === type));
  }

  openRequests() {
    return this.connection._proto._requests?.length ?? 0;
  }

  async disconnect() {
    this.connection.disconnect();
    await this.end();
  }

  async end() {
    await this.#until('end', () => this.disconnected);
    // Over WebSocket Strophe ends once more with a timer of its own, and would take the next connection with it.
    await new Promise((next) => setTimeout(next, 1));
    clearTimeout(this.connection._idleTimeout);  // which that may have set once more, for ever
  }
}
