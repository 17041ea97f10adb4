// A throw-away HAProxy that passes on TCP connections and tells by the PROXY protocol whose they are.
import { Directory, freePort, startProgram } from './process.mjs';

export async function startHaproxy(address) {
  const directory = new Directory('boshd-haproxy', 'haproxy');
  const port = await freePort();
  const config = directory.file('haproxy.cfg', `
    defaults
      mode tcp
      timeout connect 10s
      timeout client 75s
      timeout server 75s
    listen edge
      bind 127.0.0.1:${port}
      server boshd ${address} send-proxy-v2
`);  // it wants a line's end at the end
  // Only its master process says when it is ready.
  const command = directory.command('haproxy', '-W', '-f', config);
  const { stop } = await startProgram({ directory, command, ready: /Loading success/ });
  return { port, stop };
}
