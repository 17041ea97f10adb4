// A small XMPP server that lets anybody in by ANONYMOUS and sends back whatever comes then, or before.
import { once } from 'node:events';
import net from 'node:net';

const header = "<?xml version='1.0'?><stream:stream xmlns='jabber:client' id='x' from='localhost' version='1.0' "
  + "xmlns:stream='http://etherx.jabber.org/streams'>";
const mechanisms = "<mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>ANONYMOUS</mechanism></mechanisms>";
const bind = "<bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/>";
const footer = '</stream:stream>';

// What it says to one piece of a client's stream: clients here send one thing at a time.
function answer(stream, text) {
  if (text.includes('<stream:stream'))
    return `${header}<stream:features>${stream.known ? bind : mechanisms}</stream:features>`;
  if (text.includes('<auth')) {
    stream.known = true;
    return "<success xmlns='urn:ietf:params:xml:ns:xmpp-sasl'/>";
  }
  if (!text.includes('urn:ietf:params:xml:ns:xmpp-bind')) return text;
  const jid = `<jid>u${stream.number}@localhost/echo</jid>`;
  return `<iq type='result' id='${/ id=["']([^"']*)/.exec(text)[1]}'>${bind.replace('/>', `>${jid}</bind>`)}</iq>`;
}

export async function startEchoServer() {
  const sockets = new Set();
  let count = 0;
  const server = net.createServer({ noDelay: true }, (socket) => {
    const stream = { number: ++count, known: false };
    sockets.add(socket.setEncoding('utf8'));
    socket.on('data', (text) => (text.endsWith(footer) ? socket.end(footer) : socket.write(answer(stream, text))));
    socket.on('error', () => {}).on('close', () => sockets.delete(socket));
  });
  server.listen({ port: 0, host: '127.0.0.1', backlog: 4096 });
  await once(server, 'listening');
  return {
    port: server.address().port,
    async stop() {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close');
    },
  };
}
