// A small XMPP server without TLS: ANONYMOUS, resource binding, and then messages to and from each client.
import { once } from 'node:events';
import net from 'node:net';
import { choice, pieces } from './fault_random.mjs';

const streams = 'http://etherx.jabber.org/streams';
const offers = {
  login: "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>",
  bind: "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>",
};
const entities = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };
const escape = (text) => text.replace(/[<>&]/g, (sign) => ({ '<': '&lt;', '>': '&gt;', '&': '&amp;' })[sign]);
const unescape = (text) => text.replace(/&(\w+);/g, (_, name) => entities[name]);

// Cuts a client's stream into its header and its stanzas, wherever the segments end.
class Cutter {
  #text = '';
  #at = 0;     // what lies before is known
  #depth = 0;

  push(text) {
    this.#text += text;
  }

  // The next whole one as text, null when there is none yet. The end of the stream is '</stream:stream>'.
  next() {
    const tag = /<(?:\?[^>]*\?|(\/?)[^\s>"'/?](?:[^>"'/]|"[^"]*"|'[^']*'|\/(?!>))*(\/?))>/g;
    tag.lastIndex = this.#at;
    for (let match; (match = tag.exec(this.#text));) {
      this.#at = tag.lastIndex;
      const [whole, closing, empty] = match;
      if (closing === undefined) continue;  // the XML declaration
      const header = this.#depth === 0;
      this.#depth += closing ? -1 : empty ? 0 : 1;
      if (header || this.#depth === 0) return this.#cut() && whole;
      if (this.#depth === 1) return this.#cut();
    }
    return null;
  }

  // A new stream begins on the same connection.
  restart() {
    this.#depth = 0;
  }

  #cut() {
    const text = this.#text.slice(0, this.#at);
    this.#text = this.#text.slice(this.#at);
    this.#at = 0;
    return text;
  }
}

// One client. Once it is bound, the text of each of its messages goes to `hear`.
class Peer {
  #cutter = new Cutter();
  #socket;
  #offer = offers.login;
  #unheard = [];
  hear = (text) => this.#unheard.push(text);

  constructor(socket, domain, bound) {
    Object.assign(this, { domain, bound, jid: null });
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text) => {
      this.#cutter.push(text);
      for (let item; (item = this.#cutter.next());) this.#take(item);
    });
    socket.on('error', () => {});
  }

  #take(item) {
    if (item.startsWith('<stream:stream')) return this.#open();
    if (item === '</stream:stream>') return this.#end(item);
    if (item.startsWith('<auth')) return this.#authenticated();
    if (item.includes('urn:ietf:params:xml:ns:xmpp-bind')) return this.#bind(/ id=["']([^"']*)/.exec(item)[1]);
    const body = /<body[^>]*>([^]*)<\/body>/.exec(item);
    if (body) this.hear(unescape(body[1]));
  }

  #open() {
    this.#socket.write(`<?xml version='1.0'?><stream:stream xmlns='jabber:client' xmlns:stream='${streams}' id='x' `
      + `from='${this.domain}' version='1.0'><stream:features>${this.#offer}</stream:features>`);
  }

  #authenticated() {
    this.#socket.write("<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>");
    this.#offer = offers.bind;
    this.#cutter.restart();
  }

  #bind(id) {
    this.jid = this.bound(this);
    const result = offers.bind.replace('/>', `><jid>${this.jid}</jid></bind>`);
    this.#socket.write(`<iq type='result' id='${id}'>${result}</iq>`);
  }

  #end(footer) {
    this.#socket.end(footer);
  }

  // Sends messages in one segment or in several. False when the stream is over.
  async say(messages, random) {
    const stanza = ({ number, text }) => `<message from='${this.domain}' to='${this.jid}' type='chat' id='n${number}'>`
      + `<body>${escape(text)}</body></message>`;
    for (const piece of pieces(random, Buffer.from(messages.map(stanza).join('')), choice(random, [1, 1, 1, 2, 3]))) {
      this.#socket.write(piece);
      await new Promise(setImmediate);
    }
    return this.#socket.writable;
  }

  // `hear` from now on, and for what came before.
  listen(hear) {
    this.hear = hear;
    for (const text of this.#unheard.splice(0)) hear(text);
  }
}

export async function startFaultServer(domain) {
  const sockets = new Set();
  const peers = new Map();
  const bound = (peer) => {
    const jid = `u${peers.size + 1}@${domain}/fault`;
    peers.set(jid, peer);
    return jid;
  };
  const server = net.createServer((socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay();
    new Peer(socket, domain, bound);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    peer: (jid) => peers.get(jid),
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
