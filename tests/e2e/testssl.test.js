// What testssl.sh says of boshd's HTTPS. It asks nobody but this machine.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { makeAuthority } from './certificates.mjs';
import { Directory, startProgram } from './process.mjs';
import { startBoshd } from './servers.mjs';

// Findings that are not boshd's.
const excused = {
  cert_revocation: 'the authority of this test publishes no list of revoked certificates and answers no OCSP',
};
const severe = ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'];

const authority = makeAuthority();
const directory = new Directory('boshd-https');
let boshd;
before(async () => {
  const { certificate, key } = authority.sign('localhost');
  const [chainFile, keyFile] = [directory.file('chain.pem', certificate), directory.file('key.pem', key)];
  boshd = await startBoshd(`tls = true\n[[tls.certificate]]\nchain = "${chainFile}"\nkey = "${keyFile}"\n`);
});
after(async () => {
  await boshd?.stop();
  directory.remove();
});

async function findings(port) {
  const folder = new Directory('boshd-testssl');
  const report = join(folder.path, 'report.json');
  const command = folder.command('testssl', '--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none',
    '--ip', '127.0.0.1', '--add-ca', folder.file('ca.pem', authority.certificate), '--jsonfile', report,
    `localhost:${port}/http-bind`);
  const running = await startProgram({ directory: folder, command, ready: /^ Done /m });
  try {
    await running.ended;
    return JSON.parse(readFileSync(report, 'utf8'));
  } finally {
    await running.stop();
  }
}

test('testssl.sh finds nothing of weight', async () => {
  const found = await findings(new URL(boshd.url).port);
  assert.ok(found.some(({ id, severity }) => id === 'TLS1_3' && severity === 'OK'), 'it has seen TLS 1.3');
  const told = found.filter(({ id, severity }) => severe.includes(severity) && !(id in excused));
  assert.deepEqual(told.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`), []);
});
