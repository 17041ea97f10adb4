// A throw-away nginx: HTTPS in front of boshd, or the PROXY protocol in front of a server that doesn't know it.
import { Directory, freePort, startProgram } from './process.mjs';
import { shipped } from './shipped.mjs';

// `settings` makes the configuration of a directory and of settings that keep its files there.
export async function startNginx(settings) {
  const directory = new Directory('boshd-nginx', 'www-data');
  const folders = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
    .map((name) => `${name}_temp_path ${directory.path}/${name};`);
  const config = directory.file('nginx.conf', `
    load_module modules/ngx_stream_module.so;
    daemon off;
    pid ${directory.path}/nginx.pid;
    error_log stderr notice;
    worker_processes 1;
    events { }
    ${settings(directory, folders.join(' '))}
  `);
  const command = directory.command('nginx', '-e', 'stderr', '-c', config);
  const { stop } = await startProgram({ directory, command, ready: /start worker process / });
  return stop;
}

// As etc/nginx/boshd.conf has it.
export async function startNginxHttps(address, { certificate, key }) {
  const port = await freePort();
  const stop = await startNginx((directory, folders) => `
    http {
      ${folders}
      access_log off;
      ${shipped('nginx/boshd.conf', [
        ['127.0.0.1:5280', address],
        [/listen 443 (.*)/g, `listen 127.0.0.1:${port} $1`],
        [/listen \[::\]:443 .*/g, ''],
        [/\/etc\/letsencrypt\S*\/fullchain.pem/g, directory.file('certificate.pem', certificate)],
        [/\/etc\/letsencrypt\S*\/privkey.pem/g, directory.file('key.pem', key)],
      ])}
    }
  `);
  return { port, stop };
}

// Takes the PROXY protocol off and comes to the port in its stead from the address that it named: one of 127.0.0.0/8,
// which are all this machine's.
export async function startNginxUnproxy(ports) {
  const pairs = [];
  for (const port of ports) pairs.push([await freePort(), port]);
  const stop = await startNginx(() => `
    stream {
      ${pairs.map(([from, to]) => `
      server {
        listen 127.0.0.1:${from} proxy_protocol;
        proxy_bind $proxy_protocol_addr;
        proxy_pass 127.0.0.1:${to};
      }`).join('')}
    }
  `);
  return { ports: pairs.map(([from]) => from), stop };
}
