// A proxy that speaks TLS to browsers and HTTP to boshd, as nginx would: it passes on requests and WebSockets.
import { execFileSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import { join } from 'node:path';
import { Directory } from './process.mjs';

export async function startTlsProxy(url) {
  const directory = new Directory('boshd-tls');
  const [key, cert] = ['key.pem', 'cert.pem'].map((name) => join(directory.path, name));
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-keyout', key, '-out', cert, '-days', '2',
    '-subj', '/CN=localhost'], { stdio: 'ignore' });
  const { hostname, port } = new URL(url);
  const open = new Set();
  const server = https.createServer({ key: readFileSync(key), cert: readFileSync(cert) });
  const pass = (request) => http.request({
    hostname, port, method: request.method, path: request.url,
    headers: { ...request.headers, 'X-Forwarded-For': request.socket.remoteAddress, 'X-Forwarded-Proto': 'https' },
  });
  const asked = [];
  server.on('request', (request, response) => {
    asked.push(request.url);
    const passed = pass(request);
    passed.on('response', (answer) => answer.pipe(response.writeHead(answer.statusCode, answer.headers)));
    passed.on('error', () => response.destroy());
    request.pipe(passed);
  });
  server.on('upgrade', (request, socket) => {
    asked.push(request.url);
    const passed = pass(request).end();
    passed.on('upgrade', (answer, upstream, head) => {
      const lines = Object.entries(answer.headers).map(([name, value]) => `${name}: ${value}\r\n`);
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join('')}\r\n`);
      socket.write(head);
      for (const end of [socket, upstream]) end.on('error', () => {});
      socket.pipe(upstream).pipe(socket);
      open.add(upstream.on('close', () => open.delete(upstream)));
    });
    passed.on('error', () => socket.destroy());
  });
  server.on('secureConnection', (socket) => open.add(socket.on('close', () => open.delete(socket))));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: server.address().port,
    asked,
    async stop() {
      server.close();
      for (const socket of open) socket.destroy();
      await once(server, 'close');
      directory.remove();
    },
  };
}
