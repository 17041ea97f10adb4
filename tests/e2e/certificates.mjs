// A certificate authority of one test run. What it makes is text, of which each program gets files of its own.
import { execFileSync } from 'node:child_process';
import { createHash, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Directory } from './process.mjs';

// How `use` goes with a folder for the files that openssl reads and writes; nothing is left of that.
function inFolder(use) {
  const directory = new Directory('boshd-certificates');
  try {
    return use(directory);
  } finally {
    directory.remove();
  }
}

// `signer` is the authority's certificate and key; one that is nobody's signs itself.
const make = (subject, extensions, signer) => inFolder((directory) => {
  const [key, certificate] = ['key.pem', 'certificate.pem'].map((name) => join(directory.path, name));
  const config = directory.file('empty.cnf', '[req]\ndistinguished_name = name\n[name]\n');  // not the system's
  const signedBy = signer
    ? ['-CA', directory.file('ca.pem', signer.certificate), '-CAkey', directory.file('ca-key.pem', signer.key)] : [];
  execFileSync('openssl', ['req', '-x509', '-config', config, '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256',
    '-nodes', '-keyout', key, '-out', certificate, '-days', '365', '-subj', `/CN=${subject}`,
    ...extensions.flatMap((extension) => ['-addext', extension]), ...signedBy], { stdio: 'pipe' });
  return { certificate: readFileSync(certificate, 'utf8'), key: readFileSync(key, 'utf8') };
});

// `sign` makes the certificate of a server with those names, the first of which is its subject.
export function makeAuthority() {
  const authority = make('boshd test CA', ['basicConstraints=critical,CA:TRUE', 'keyUsage=critical,keyCertSign']);
  return {
    certificate: authority.certificate,
    sign: (...names) => make(names[0], [
      'basicConstraints=critical,CA:FALSE', 'keyUsage=critical,digitalSignature', 'extendedKeyUsage=serverAuth',
      `subjectAltName=${names.map((name) => `DNS:${name}`)}`,
    ], authority),
  };
}

// What Chromium's --ignore-certificate-errors-spki-list wants of a certificate.
export function fingerprint(certificate) {
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest('base64');
}
