// Writes package-lock.json anew after a change of package.json: `npm run lock`.
//
// Converse.js comes as one bundle. What it was made of is left out: it isn't needed, and npm 9 stumbles over a folder of
// Converse's own among it.
import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Directory } from './process.mjs';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const directory = new Directory('boshd-lock');  // without modules, which npm would look at
const lockFile = join(directory.path, 'package-lock.json');
const install = () => execFileSync('npm', ['install', '--package-lock-only', '--omit-lockfile-registry-resolved',
  '--no-audit', '--no-fund'], { cwd: directory.path, stdio: 'inherit' });

copyFileSync(here('package.json'), join(directory.path, 'package.json'));
install();
const lock = JSON.parse(readFileSync(lockFile));
const { dependencies, workspaces, ...bundle } = lock.packages['node_modules/converse.js'];
lock.packages['node_modules/converse.js'] = bundle;
for (const [name, { link }] of Object.entries(lock.packages))
  if (link || name.startsWith('node_modules/converse.js/')) delete lock.packages[name];
writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
install();
copyFileSync(lockFile, here('package-lock.json'));
directory.remove();
