// What testssl.sh says of boshd's HTTPS. It asks nobody but this machine.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { makeAuthority } from './certificates.mjs';
import { Directory, startProgram } from './process.mjs';
import { startBoshd } from './servers.mjs';

// Findings that are not boshd's.
const excused = {
  cert_revocation: 'the authority of this test publishes no list of revoked certificates and answers no OCSP',
};
const severe = ['MEDIUM', 'HIGH', 'CRITICAL', 'FATAL'];

async function findings(port, authority) {
  const directory = new Directory('boshd-testssl');
  const report = join(directory.path, 'report.json');
  const command = directory.command('testssl', '--quiet', '--color', '0', '--warnings', 'off', '--nodns', 'none',
    '--ip', '127.0.0.1', '--add-ca', directory.file('ca.pem', authority.certificate), '--jsonfile', report,
    `localhost:${port}/http-bind`);
  const running = await startProgram({ directory, command, ready: /^ Done /m });
  try {
    await running.ended;
    return JSON.parse(readFileSync(report, 'utf8'));
  } finally {
    await running.stop();
  }
}

test('testssl.sh finds nothing of weight', async () => {
  const directory = new Directory('boshd-testssl-files');
  const authority = makeAuthority();
  const { certificate, key } = authority.sign('localhost');
  const boshd = await startBoshd(`tls = true
[[tls.certificate]]
chain = "${directory.file('chain.pem', certificate)}"
key = "${directory.file('key.pem', key)}"
`);
  try {
    const found = await findings(new URL(boshd.url).port, authority);
    assert.ok(found.some(({ id, severity }) => id === 'TLS1_3' && severity === 'OK'), 'TLS 1.3 is offered');
    const told = found.filter(({ id, severity }) => severe.includes(severity) && !(id in excused));
    assert.deepEqual(told.map(({ id, severity, finding }) => `${severity} ${id}: ${finding}`), []);
  } finally {
    await boshd.stop();
    directory.remove();
  }
});
