// A throw-away Apache: HTTPS in front of boshd as etc/apache/boshd.conf has it, with what Debian's package sets.
import { readFileSync } from 'node:fs';
import { Directory, freePort, startProgram } from './process.mjs';
import { shipped, shippedFile } from './shipped.mjs';

const modules = '/usr/lib/apache2/modules';
const debian = ['mpm_event', 'access_compat', 'alias', 'auth_basic', 'authn_core', 'authn_file', 'authz_core',
  'authz_host', 'authz_user', 'deflate', 'dir', 'env', 'filter', 'mime', 'negotiation', 'reqtimeout', 'setenvif', 'status'];

// Those that the file tells the operator to enable.
const enabled = () => /a2enmod (.*)/.exec(readFileSync(shippedFile('apache/boshd.conf'), 'utf8'))[1].split(' ');

const surroundings = (directory) => `
  ServerRoot ${directory.path}
  DefaultRuntimeDir ${directory.path}
  PidFile ${directory.path}/apache.pid
  Mutex file:${directory.path} default
  ErrorLog "|/bin/cat"
  LogLevel notice
  ${[...debian, ...enabled()].map((name) => `LoadModule ${name}_module ${modules}/mod_${name}.so\n`).join('')}
  ServerName localhost
  TypesConfig ${directory.file('mime.types', '')}
  Define APACHE_LOG_DIR ${directory.path}
  LogFormat "%h %l %u %t \\"%r\\" %>s %O \\"%{Referer}i\\" \\"%{User-Agent}i\\"" combined
  StartServers 2
  MinSpareThreads 25
  MaxSpareThreads 75
  ThreadLimit 64
  ThreadsPerChild 25
  MaxRequestWorkers 150
  Timeout 300
  MaxKeepAliveRequests 100
  KeepAliveTimeout 5
  RequestReadTimeout header=20-40,minrate=500 body=10,minrate=500
  AddOutputFilterByType DEFLATE text/html text/plain text/xml
`;

async function start(settings) {
  const directory = new Directory('boshd-apache', 'www-data');
  const port = await freePort();
  const config = directory.file('apache.conf', `${surroundings(directory)}${settings(port, directory)}`);
  const command = directory.command('apache2', '-f', config, '-DFOREGROUND');
  const { stop } = await startProgram({ directory, command, ready: /resuming normal operations/ });
  return { port, stop };
}

// Plain HTTP; `settings` is of a virtual host.
export const startApache = (settings) => start((port) => `
  Listen 127.0.0.1:${port} http
  <VirtualHost *:${port}>
    ${settings}
  </VirtualHost>
`);

export const startApacheHttps = (address, { certificate, key }) => start((port, directory) => `
    Listen 127.0.0.1:${port} https
    ${shipped('apache/boshd.conf', [
      ['127.0.0.1:5280', address],
      ['*:443', `*:${port}`],
      [/\/etc\/letsencrypt\S*\/fullchain.pem/g, directory.file('certificate.pem', certificate)],
      [/\/etc\/letsencrypt\S*\/privkey.pem/g, directory.file('key.pem', key)],
    ])}
`);
