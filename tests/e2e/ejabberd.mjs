// A throw-away ejabberd: the hosts localhost, anon.localhost and conference.localhost.
//
// Not by ejabberdctl, which insists on a node name, epmd, and the system's directories. An Erlang node without a name
// needs none of these, and several run side by side.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Directory, freePort, startProgram } from './process.mjs';
import { shipped } from './shipped.mjs';

// Debian has it in the architecture's folder, where Erlang doesn't look.
export function findEjabberd() {
  for (const folder of readdirSync('/usr/lib', { withFileTypes: true }))
    if (folder.isDirectory())
      for (const name of readdirSync(join('/usr/lib', folder.name))) {
        const code = join('/usr/lib', folder.name, name, 'ebin');
        if (/^ejabberd-.*-/.test(name) && existsSync(join(code, 'ejabberd.app'))) return code;
      }
  throw new Error('ejabberd is not installed');
}

const settings = (listeners, more) => `
hosts: [localhost, anon.localhost]
listen:
${listeners.map((words) => `  - { ip: 127.0.0.1, module: ejabberd_c2s, ${words} }`).join('\n')}
${more}
auth_method: mnesia
auth_password_format: scram
host_config:
  anon.localhost:
    auth_method: anonymous
    anonymous_protocol: sasl_anon
modules:
  mod_blocking: {}
  mod_caps: {}
  mod_carboncopy: {}
  mod_disco: {}
  mod_muc: { host: conference.localhost }
  mod_offline: {}
  mod_ping: {}
  mod_privacy: {}
  mod_pubsub: { plugins: [flat, pep] }
  mod_roster: {}
  mod_stream_mgmt: {}
  mod_vcard: {}
`;

const plain = ({ port }, behindBoshd) => settings([`port: ${port}`], `
loglevel: info
include_config_file: ${behindBoshd}
access_rules: { c2s: { allow: all } }
shaper_rules: { c2s_shaper: none }
`);

function encrypted({ port, tlsPort, proxied }, files) {
  const pair = (ports, more) => [
    `port: ${ports.port}, starttls: true, starttls_required: true${more}`,
    `port: ${ports.tlsPort}, tls: true${more}`,
  ];
  const listeners = [...pair({ port, tlsPort }, ''), ...pair(proxied, ', use_proxy_protocol: true')];
  return settings(listeners, `loglevel: info\nacme: { auto: false }\ncertfiles: [${files}]`);
}

// With certificates, each under its domain, `port` requires STARTTLS, `tlsPort` is for direct TLS, and `proxied` has
// the like of both for clients that begin with a PROXY header. Without certificates `proxied` is what etc/ejabberd has,
// and there is no TLS.
export async function startEjabberd(accounts, { certificates = null } = {}) {
  const directory = new Directory('boshd-ejabberd', 'ejabberd');
  const ports = { port: await freePort(), proxied: { port: await freePort() } };
  if (certificates) {
    ports.tlsPort = await freePort();
    ports.proxied.tlsPort = await freePort();
  }
  const files = Object.entries(certificates ?? {})
    .map(([domain, { certificate, key }]) => directory.file(`${domain}.pem`, certificate + key));
  const behindBoshd = directory.file('boshd.yml', shipped('ejabberd/boshd.yml', [
    ['port: 15222', `port: ${ports.proxied.port}`],
  ]));
  const config = directory.file('ejabberd.yml', certificates ? encrypted(ports, files) : plain(ports, behindBoshd));
  const register = Object.entries(accounts).map(([name, { password }]) =>
    `ok = ejabberd_auth:try_register(<<"${name}">>, <<"localhost">>, <<"${password}">>), `);
  const command = directory.command('erl', '-noinput', '+sbwt', 'none', '-pa', findEjabberd(),
    '-mnesia', 'dir', `"${directory.folder('mnesia')}"`, '-s', 'ejabberd',
    '-eval', `${register.join('')}io:put_chars("accounts are there\\n").`);
  const env = {
    HOME: directory.path,
    EJABBERD_CONFIG_PATH: config,
    EJABBERD_LOG_PATH: join(directory.folder('log'), 'ejabberd.log'),
    ERL_CRASH_DUMP: join(directory.path, 'crash.dump'),
  };
  const running = await startProgram({ directory, command, ready: /accounts are there/, env });
  return {
    ...ports,
    sawLogin: (jid, address) => running.logged(`login of ${jid} from ${address}`,
      (log) => log.includes(` authentication for ${jid} by mnesia backend from ${address}\n`)),
    stop: running.stop,
  };
}
