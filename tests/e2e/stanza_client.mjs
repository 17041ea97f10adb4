// A chat client for the tests of stanza.js, unchanged, over BOSH or WebSocket as the address says.
import { createClient } from 'stanza';
import { Watch } from './watch.js';

export class StanzaClient {
  #watch = new Watch();
  events = [];
  messages = [];
  presences = [];
  wire = { incoming: '', outgoing: '' };

  constructor(url, { jid, password }, resource, options = {}) {
    this.web = url.startsWith('ws');
    const transports = { bosh: !this.web && url, websocket: this.web && url };
    this.xmpp = createClient({ jid, password, resource, autoReconnect: false, transports, ...options });
    this.#see('session:started', () => (this.jid = this.xmpp.jid));
    this.#see('stream:management:resumed', () => (this.jid = this.xmpp.jid));
    this.#see('bosh:terminate', ({ condition }) => (this.condition = condition));
    this.#see('message', (message) => message.body && this.messages.push(message));
    this.#see('presence', (presence) => this.presences.push(presence));
    for (const name of ['auth:failed', 'message:acked', 'disconnected', '--transport-disconnected']) this.#see(name);
    for (const way of ['incoming', 'outgoing'])
      this.xmpp.on(`raw:${way}`, (text) => {
        this.wire[way] += text;
        this.#watch.changed();
      });
  }

  #see(name, act = () => {}) {
    this.xmpp.on(name, (event) => {
      this.events.push(name);
      act(event);
      this.#watch.changed();
    });
  }

  until(what, done) {
    return this.#watch.until(what, done, () => `${this.jid}: ${this.events.join(', ')}`);
  }

  async connect() {
    this.xmpp.connect();
    const had = (...names) => names.some((name) => this.events.includes(name));
    await this.until('end of the login',
      () => had('session:started', 'stream:management:resumed', 'auth:failed', 'bosh:terminate'));
    if (had('auth:failed', 'bosh:terminate')) throw new Error(`no login: ${this.events.join(', ')}`);
  }

  say(to, body, type = 'chat') {
    this.xmpp.sendMessage({ to, body, type });
  }

  async received(tag, count) {
    const mine = () => this.messages.map(({ body }) => body).filter((body) => body.startsWith(tag));
    await this.until(`${count} messages ${tag}`, () => mine().length >= count);
    return mine();
  }

  acknowledged(count) {
    return this.until(`${count} acknowledgements`,
      () => this.events.filter((name) => name === 'message:acked').length >= count);
  }

  presenceFrom(from, type) {
    return this.until(`presence ${type} from ${from}`,
      () => this.presences.some((presence) => presence.from === from && presence.type === type));
  }

  // Until the last answer, not until 'disconnected': that never comes when stanza.js 12 had something to acknowledge at
  // the time of the end.
  async disconnect() {
    this.xmpp.disconnect();
    await this.until('end', () => this.events.includes(this.web ? '--transport-disconnected' : 'bosh:terminate'));
  }

  // Not a word more, as if the process had gone.
  vanish() {
    if (this.web) this.xmpp.transport.socket.terminate();
    else this.xmpp.transport.isEnded = true;
  }
}
