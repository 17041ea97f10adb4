// A throw-away Prosody: the hosts localhost, anon.localhost and conference.localhost.
import { Directory, freePort, startProgram } from './process.mjs';

export async function startProsody(accounts) {
  const directory = new Directory('boshd-prosody', 'prosody');  // it refuses to run as root
  const port = await freePort();
  for (const name of ['certs', 'data', 'data/localhost', 'data/localhost/accounts']) directory.folder(name);
  for (const [name, { password }] of Object.entries(accounts))
    directory.file(`data/localhost/accounts/${name}.dat`, `return { ["password"] = "${password}" };\n`);
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
    }
    modules_disabled = { "s2s", "tls", "posix" }
    c2s_require_encryption = false
    allow_unencrypted_plain_auth = true
    VirtualHost "localhost"
      authentication = "internal_hashed"  -- one salt for an account, or Converse.js can't log in again by itself
    VirtualHost "anon.localhost"
      authentication = "anonymous"
    Component "conference.localhost" "muc"
  `);
  const command = directory.command('prosody', '--config', config, '-F');
  const { stop } = await startProgram({ directory, command, ready: /Activated service 'c2s'/ });
  return { port, stop };
}
