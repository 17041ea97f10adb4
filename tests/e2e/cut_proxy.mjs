// A TCP proxy whose connections can be cut, as a network does that goes away.
import { once } from 'node:events';
import net from 'node:net';

// In front of the address of a URL; its own `url` differs in the port only. It connects from `localAddress`.
export async function startCutProxy(url, localAddress = null) {
  const target = new URL(url);
  const pairs = new Set();
  const server = net.createServer((client) => {
    const upstream = net.connect({ port: target.port, host: target.hostname, localAddress });
    const pair = [client, upstream];
    pairs.add(pair);
    const end = () => {
      pairs.delete(pair);
      for (const socket of pair) socket.destroy();
    };
    for (const socket of pair) socket.on('error', end).on('close', end);
    client.pipe(upstream).pipe(client);
  });
  server.listen(0, target.hostname);
  await once(server, 'listening');
  const own = new URL(url);
  own.port = server.address().port;
  const cut = () => {
    for (const pair of pairs) for (const socket of pair) socket.destroy();
  };
  return {
    url: own.href,
    cut,
    async stop() {
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
