// The scenarios with Strophe.js in Node.
import './xhr.mjs';
import { after, before, test } from 'node:test';
import { scenarios } from './scenarios.js';
import { accounts, startAll } from './servers.mjs';

let servers;
before(async () => (servers = await startAll()));
after(() => servers?.stop());

let number = 0;
for (const [name, run] of Object.entries(scenarios))
  test(name, () => run({ url: servers.boshd.url, openUrl: servers.open.url, accounts, tag: `n${++number}` }));
