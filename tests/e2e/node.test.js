// The scenarios with Strophe.js in Node.
import './xhr.mjs';
import { after, before, describe, test } from 'node:test';
import { scenarios } from './scenarios.js';
import { accounts, serverNames, startAll } from './servers.mjs';

for (const server of serverNames)
  describe(`with ${server}`, () => {
    let servers;
    before(async () => (servers = await startAll(server)));
    after(() => servers?.stop());

    let number = 0;
    for (const [name, run] of Object.entries(scenarios))
      test(name, () => run({ url: servers.boshd.url, openUrl: servers.open.url, accounts, tag: `n${++number}` }));
  });
