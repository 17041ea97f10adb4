// A throw-away Prosody: the hosts localhost, anon.localhost and conference.localhost.
import { startNginxUnproxy } from './nginx.mjs';
import { Directory, freePort, startProgram, stopEach } from './process.mjs';
import { shipped } from './shipped.mjs';

const plain = `
    modules_disabled = { "s2s", "tls", "posix" }
    c2s_require_encryption = false
`;

const encrypted = (tlsPort) => `
    modules_disabled = { "s2s", "posix" }
    c2s_require_encryption = true
    c2s_direct_tls_ports = { ${tlsPort} }
`;

// With certificates, each under its domain, `port` requires STARTTLS, `tlsPort` is for direct TLS, and `proxied` has
// the like of both for clients that begin with a PROXY header: mod_boshd_proxy knows these and no direct TLS, for that
// nginx takes them off. Without certificates `proxied` has only the former, and there is no TLS.
//
// `modules`: more of them, of etc/prosody or, where there is a text, of that text.
export async function startProsody(accounts, { certificates = null, modules = {} } = {}) {
  const directory = new Directory('boshd-prosody', 'prosody');  // it refuses to run as root
  const port = await freePort();
  const tlsPort = certificates && await freePort();
  const proxied = { port: await freePort() };
  for (const name of ['certs', 'data', 'data/localhost', 'data/localhost/accounts']) directory.folder(name);
  for (const [name, { password }] of Object.entries(accounts))
    directory.file(`data/localhost/accounts/${name}.dat`, `return { ["password"] = "${password}" };\n`);
  for (const [domain, { certificate, key }] of Object.entries(certificates ?? {})) {
    directory.file(`certs/${domain}.crt`, certificate);
    directory.file(`certs/${domain}.key`, key);
  }
  directory.folder('modules');
  const added = { ...modules, boshd_proxy: null };
  for (const [name, text] of Object.entries(added))
    directory.file(`modules/mod_${name}.lua`, text ?? shipped(`prosody/mod_${name}.lua`));
  const behindBoshd = directory.file('boshd.cfg.lua', shipped('prosody/boshd.cfg.lua', [
    ['/usr/local/lib/prosody/modules', `${directory.path}/modules`],
    ['\nboshd_proxy_ports = { 15222 }', `\nboshd_proxy_ports = { ${proxied.port} }`],
  ]));
  const config = directory.file('prosody.cfg.lua', `
    pidfile = "${directory.path}/prosody.pid"
    data_path = "${directory.path}/data"
    certificates = "${directory.path}/certs"
    log = { { levels = { min = "info" }, to = "console" } }
    interfaces = { "127.0.0.1" }
    c2s_ports = { ${port} }
    modules_enabled = {
      "roster", "saslauth", "disco", "ping", "smacks",
      "blocklist", "carbons", "pep", "vcard_legacy",  -- Converse.js does not do without
      ${certificates ? '"tls",' : ''} "log_auth",
      ${Object.keys(added).map((name) => `"${name}"`).join(', ')}
    }
    ${certificates ? encrypted(tlsPort) : plain}
    log_auth_ips = "all"
    allow_unencrypted_plain_auth = true
    VirtualHost "localhost"
      authentication = "internal_hashed"  -- one salt for an account, or Converse.js can't log in again by itself
    VirtualHost "anon.localhost"
      authentication = "anonymous"
    Component "conference.localhost" "muc"
    Include "${behindBoshd}"
  `);
  const command = directory.command('prosody', '--config', config, '-F');
  const all = ['boshd_proxy', certificates ? 'c2s_direct_tls' : 'c2s'];
  const ready = new RegExp(`^${all.map((name) => `(?=[^]*Activated service '${name}')`).join('')}`);
  const running = await startProgram({ directory, command, ready });
  const server = {
    port,
    proxied,
    sawLogin: (jid, address) => running.logged(`login of ${jid} from ${address}`,
      (log) => log.includes(`Successful authentication as ${jid} from IP: ${address}\n`)),
    logged: running.logged,
    stop: running.stop,
  };
  if (!certificates) return server;
  try {
    const nginx = await startNginxUnproxy([tlsPort]);
    proxied.tlsPort = nginx.ports[0];
    return { ...server, tlsPort, stop: () => stopEach([nginx, running]) };
  } catch (error) {
    await running.stop();
    throw error;
  }
}
