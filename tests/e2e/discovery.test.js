// A client that knows nothing but the user's address finds boshd by the host metadata of the domain (XEP-0156).
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { launch } from './chromium.mjs';
import { accounts, serverNames, startAll, startPages } from './servers.mjs';
import { startTlsProxy } from './tls_proxy.mjs';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));

for (const server of serverNames)
  describe(`with ${server}`, () => {
    const started = [];
    const keep = async (starting) => {
      started.push(await starting);
      return started.at(-1);
    };
    let pages;
    let servers;
    let proxy;
    let browser;
    before(async () => {
      pages = await keep(startPages({
        '/': file('converse.html'),
        '/converse/': file('node_modules/converse.js/dist/'),
      }));
      servers = await keep(startAll(server));
      proxy = await keep(startTlsProxy(servers.boshd.url));
      browser = await launch(`MAP localhost:443 127.0.0.1:${proxy.port}, MAP localhost 127.0.0.1, MAP * ~NOTFOUND, `
        + 'EXCLUDE 127.0.0.1', '--ignore-certificate-errors');
    });
    after(async () => {
      await browser?.close();
      for (const one of started.reverse()) await one.stop();
    });

    test('D_009 W_084 Converse.js logs in by the address of the user alone', async () => {
      const page = await browser.newPage();
      await page.goto(pages.url);
      await page.fill('input[name=jid]', accounts.romeo.jid);
      await page.fill('input[name=password]', accounts.romeo.password);
      const opened = page.waitForEvent('websocket');
      await page.press('input[name=password]', 'Enter');
      assert.equal((await opened).url(), 'wss://localhost/xmpp-websocket');
      await page.locator('converse-user-profile').waitFor();
      assert.ok(proxy.asked.includes('/.well-known/host-meta'), `${proxy.asked}`);
      await page.evaluate(() => window.api.user.logout());
      await page.locator('input[name=password]').waitFor();
    });
  });
