// A throw-away HAProxy: it passes on TCP connections and tells by the PROXY protocol whose they are, or speaks HTTPS as
// etc/haproxy has it.
import { join } from 'node:path';
import { Directory, freePort, startProgram } from './process.mjs';
import { shipped } from './shipped.mjs';

// `settings` ends with a line's end: HAProxy wants one. Only its master process says when it is ready.
function start(directory, settings) {
  const command = directory.command('haproxy', '-W', '-f', directory.file('haproxy.cfg', settings));
  return startProgram({ directory, command, ready: /Loading success/ });
}

// By plain HTTP or TCP.
export async function startHaproxy(address, { mode = 'tcp', patience = 75 } = {}) {
  const directory = new Directory('boshd-haproxy', 'haproxy');
  const port = await freePort();
  const { stop } = await start(directory, `
    defaults
      mode ${mode}
      timeout connect 10s
      timeout client 75s
      timeout server ${patience}s
    listen edge
      bind 127.0.0.1:${port}
      server boshd ${address} send-proxy-v2
`);
  return { port, stop };
}

// `addresses`: what to put for the two nodes' of the file. `logged` waits for what HAProxy says of its servers.
export async function startHaproxyHttps(addresses, { certificate, key }) {
  const directory = new Directory('boshd-haproxy', 'haproxy');
  const port = await freePort();
  const settings = shipped('haproxy/haproxy.cfg', [
    ...addresses,
    [/^ +(?:log \/dev\/log|chroot|user|group) .*\n/gm, ''],
    ['/run/haproxy/admin.sock', join(directory.path, 'admin.sock')],
    [':443,[::]:443 v6only', `127.0.0.1:${port}`],
    ['/etc/haproxy/certs/', directory.file('certificate.pem', certificate + key)],
    ['/etc/haproxy/bosh-sid.map', directory.file('bosh-sid.map', shipped('haproxy/bosh-sid.map'))],
  ]);
  const { stop, logged } = await start(directory, settings);
  return { port, stop, logged };
}
