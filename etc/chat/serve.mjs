// Serves the demo's page on its own origin: `node serve.mjs PORT SETTINGS-AS-JSON`. Port 0 is any free one.
import { readFile } from 'node:fs/promises';
import http from 'node:http';
import { extname } from 'node:path';

const [port, settings] = process.argv.slice(2);
const types = { '.html': 'text/html', '.css': 'text/css', '.js': 'text/javascript', '.json': 'application/json' };
const files = {
  '/': 'index.html',
  '/chat.css': 'chat.css',
  '/chat.js': 'chat.js',
  '/plot.js': 'plot.js',
  '/traffic.js': 'traffic.js',
  '/wire.js': 'wire.js',
  '/strophe.js': 'node_modules/strophe.js/dist/strophe.esm.js',
};

const server = http.createServer(async (request, response) => {
  const { pathname } = new URL(request.url, 'http://page');
  const type = types[extname(files[pathname] ?? pathname)];
  const content = pathname === '/settings.json' ? settings : files[pathname] && await readFile(new URL(files[pathname], import.meta.url));
  if (!content) return response.writeHead(404, { 'Content-Type': 'text/plain' }).end('Not here.\n');
  response.writeHead(200, { 'Content-Type': `${type}; charset=utf-8`, 'Cache-Control': 'no-store' }).end(content);
});
server.listen(Number(port), '127.0.0.1', () => console.log(`page on http://127.0.0.1:${server.address().port}/`));
process.on('SIGTERM', () => process.exit(0));
