// BOSH sessions by hand, over connections that many of them share: each request goes over any of these.
import http2 from 'node:http2';
import https from 'node:https';

const choice = (list) => list[Math.floor(Math.random() * list.length)];
const type = { 'content-type': 'text/xml; charset=utf-8' };

// Collects an answer; `statusOf` reads the status of what the event brings.
function collect(stream, event, statusOf, resolve, reject) {
  stream.on('error', reject).on(event, (response) => {
    const source = event === 'response' && response.setEncoding ? response : stream;
    let text = '';
    source.setEncoding('utf8').on('data', (piece) => (text += piece));
    source.on('error', reject).on('end', () => resolve({ status: statusOf(response), text }));
  });
}

const from = (localAddress) => ({ host: '127.0.0.1', localAddress, rejectUnauthorized: false });

// `room`: for how many requests at a time.
function openHttp2({ port, address, headers, room }) {
  const connect = () => http2.connect(`https://localhost:${port}`, from(address)).on('error', () => {});
  let connection = connect();
  return {
    room,
    close: () => connection.destroy(),
    post: (path, body) => new Promise((resolve, reject) => {
      if (connection.closed || connection.destroyed) connection = connect();  // it was idle
      const stream = connection.request({ ':method': 'POST', ':path': path, ...headers });
      collect(stream, 'response', (got) => got[':status'], resolve, reject);
      stream.end(body);
    }),
  };
}

function openHttp1({ port, address, headers }) {
  const agent = new https.Agent({ keepAlive: true, maxSockets: 1, ...from(address) });
  return {
    room: 1,
    close: () => agent.destroy(),
    post: (path, body) => new Promise((resolve, reject) => {
      const request = https.request({ port, path, method: 'POST', agent, headers });
      collect(request, 'response', (got) => got.statusCode, resolve, reject);
      request.end(body);
    }),
  };
}

// Connections to the port from that address, HTTP/2 ones and, kept alive, HTTP/1.1 ones, whose requests have those
// headers. `post` takes any that has room for a request, and resolves with the answer's text.
export function openConnections({ port, address, headers: more, http2: many = 0, room = 90, http1: few = 0 }) {
  const settings = { port, address, headers: { ...type, ...more }, room };
  const all = [
    ...Array.from({ length: many }, () => openHttp2(settings)),
    ...Array.from({ length: few }, () => openHttp1(settings)),
  ];
  return {
    async post(body) {
      const connection = choice(all.filter((one) => one.room > 0));
      --connection.room;
      try {
        const { status, text } = await connection.post('/http-bind', body);
        if (status !== 200) throw new Error(`HTTP ${status}: ${text}`);
        return text;
      } finally {
        ++connection.room;
      }
    },
    stop: () => all.forEach(({ close }) => close()),
  };
}

// The condition with which an answer ends its session, if it does.
export const conditionOf = (answer) => (/^<body[^>]* type='terminate'/.test(answer)
  ? / condition='([^']*)'/.exec(answer)?.[1] ?? 'none' : null);

const shuffled = (list) => list.map((item) => [Math.random(), item]).sort(([a], [b]) => a - b).map(([, item]) => item);

// A session, whose bodies are written in all the ways that XML allows.
export class Session {
  #rid = 1 + Math.floor(Math.random() * 2 ** 40);
  #connections;

  constructor(connections, domain = 'localhost') {
    Object.assign(this, { domain });
    this.#connections = connections;
  }

  async begin() {
    const answer = await this.#send({
      to: this.domain, wait: '60', hold: '1', ver: '1.6', 'xml:lang': 'en', content: 'text/xml; charset=utf-8',
      'xmlns:xmpp': 'urn:xmpp:xbosh', 'xmpp:version': '1.0',
    });
    this.sid = / sid='([^']*)'/.exec(answer)?.[1];
    if (!this.sid) throw new Error(`no session: ${answer}`);
    [this.node] = this.sid.split('-');
    return this;
  }

  // The answer to a request with that in it.
  ask(payload = '') {
    return this.#send({ sid: this.sid }, payload);
  }

  end() {
    return this.#send({ sid: this.sid, type: 'terminate' });
  }

  #send(more, payload = '') {
    const attributes = { xmlns: 'http://jabber.org/protocol/httpbind', rid: this.#rid++, ...more };
    const words = shuffled(Object.entries(attributes)).map(([name, value]) => {
      const [before, equals, quote] = [[' ', '\n  '], ['=', ' = '], ["'", '"']].map(choice);
      return `${before}${name}${equals}${quote}${value}${quote}`;
    });
    const declaration = choice(['', "<?xml version='1.0'?>\n"]);
    return this.#connections.post(`${declaration}<body${words.join('')}>${payload}</body>`);
  }
}
