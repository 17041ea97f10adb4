// The page at /status, in Chromium: with a status.json that the test decides, and as boshd serves it (E2E_STATUS=mock,boshd).
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { launch } from './chromium.mjs';
import { repack } from './png.mjs';
import { MockStatus, busy, fresh, sources, troubled } from './status_mock.mjs';

const schemes = ['light', 'dark'];

const sourceNames = process.env.E2E_STATUS?.split(',') ?? ['mock'];

let browser;
let server;
let open;  // pages of a test: { page, complaints, requests }
before(async () => { browser = await launch(); });
after(() => browser?.close());
beforeEach(() => {
  open = [];
  server = null;
});
afterEach(async () => {
  await Promise.all(open.map(({ page }) => page.context().close()));
  await server?.stop();
});

// A test with one of the sources.
const check = (name, body, source = MockStatus) => test(name, async () => {
  server = await new source().start();
  await body();
});

// A window that shows the figures. What it asked for and what the browser complained about is kept.
async function visit(options = {}, url = server.url) {
  const context = await browser.newContext({ viewport: { width: 1400, height: 900 }, ...options });
  const page = await context.newPage();
  const seen = { page, requests: [], complaints: [] };
  open.push(seen);
  page.on('request', (request) => seen.requests.push(request.url()));
  page.on('console', (message) => ['error', 'warning'].includes(message.type()) && seen.complaints.push(message.text()));
  page.on('pageerror', (error) => seen.complaints.push(error.message));
  await page.goto(url);
  if (options.javaScriptEnabled !== false) await page.locator('#main').waitFor();
  return seen;
}

// Requests for anything but the page, its figures and its icon.
const foreign = (requests) =>
  requests.filter((url) => url !== server.url && url !== `${server.url}.json` && !url.startsWith('data:image/svg+xml,'));

// The rows of a section's table as texts, one array of cells a row.
const rows = (page, section) => page.locator(`#${section} tbody tr`).evaluateAll((found) =>
  found.map((row) => [...row.cells].map((cell) => cell.innerText.replace(/\s+/g, ' ').trim())));

// How much wider than the window the page is.
const excess = (page) => page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);

// Texts whose contrast to the ground behind them is below 4.5 (WCAG 2.1, 1.4.3).
const faint = (page) => page.evaluate(() => {
  const pen = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
  const paint = (colours) => {
    pen.clearRect(0, 0, 1, 1);
    for (const colour of colours) {
      pen.fillStyle = colour;
      pen.fillRect(0, 0, 1, 1);
    }
    return pen.getImageData(0, 0, 1, 1).data;
  };
  const luminance = ([...rgb]) => {
    const [red, green, blue] = rgb.map((value) => (value / 255 <= 0.04045 ? value / 255 / 12.92 : ((value / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const grounds = (element) => (element ? [...grounds(element.parentElement), getComputedStyle(element).backgroundColor] : []);
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest('script, style, noscript')) continue;
    const behind = grounds(element);
    const [light, dark] = [paint(behind), paint([...behind, getComputedStyle(element).color])].map(luminance).sort((a, b) => b - a);
    if ((light + 0.05) / (dark + 0.05) < 4.5) found.push(`${node.data} ${((light + 0.05) / (dark + 0.05)).toFixed(2)}`);
  }
  return found;
});

check('the figures appear, and nothing but status.json is loaded', async () => {
  server.status = busy();
  const { page, requests, complaints } = await visit();
  assert.equal(await page.locator('#state').innerText(), 'ready');
  assert.match(await page.locator('#about').innerText(), /^0\.1\.0 · node n1 · up 12 d 4 h$/);
  assert.match(await page.locator('#plot-sessions').innerText(), /6,316 of 15,000\s+BOSH 1,832\s*WebSocket 4,484/);
  assert.match(await page.locator('#plot-stanzas').innerText(), /from clients 311\/s/);
  assert.match(await page.locator('#plot-delay').innerText(), /p90 1\.7 ms, p50 410 µs/);
  assert.match(await page.locator('#strip').innerText(), /Held requests\s+1,795/);
  assert.deepEqual((await rows(page, 'ended')).slice(0, 2), [
    ['client-terminated the client logged out', '553', '210,114'], ['client-lost its WebSocket broke or fell silent', '96', '39,118']]);
  assert.deepEqual((await rows(page, 'refused'))[0], ['host-unknown a domain not in [upstream] domains', '4', '914']);
  assert.deepEqual((await rows(page, 'domains'))[1], ['support.example.com', '932']);
  assert.deepEqual((await rows(page, 'addresses'))[1], ['2001:db8:4f:1200::/64', '44']);
  assert.match((await rows(page, 'certificates'))[0].join(' '), /^intern\.example\.org and 1 more .* 11 days/);
  assert.match(await page.locator('#proxies').innerText(), /10\.0\.0\.2[^]*proxy_read_timeout 90s/);
  assert.match(await page.locator('#errors').innerText(), /upstream-failed\s+9 times/);
  assert.match(await page.locator('#process').innerText(), /12,763 of 65,536/);
  assert.deepEqual((await rows(page, 'threads'))[3], ['3', '1,543', '2.1 ms']);
  assert.deepEqual(foreign(requests), []);
  assert.deepEqual([...new Set(server.requests)], ['/status', '/status.json']);
  assert.deepEqual(complaints, []);
});

for (const name of sourceNames) check(`a daemon that has just started has a page without gaps: ${name}`, async () => {
  const { page, requests, complaints } = await visit();
  assert.equal(await page.locator('#attention').isVisible(), false);
  for (const [section, said] of Object.entries({ ended: 'No session has ended yet.', refused: 'None has been refused.',
    domains: 'No sessions now.', addresses: 'No sessions now.', errors: 'None.', proxies: 'No proxy in front of boshd does anything wrong.' })) {
    assert.equal(await page.locator(`#${section} > .note`).innerText(), said);
    assert.equal(await page.locator(`#${section} :is(table, ul)`).isVisible(), false);
  }
  assert.match(await page.locator('#plot-delay').innerText(), /nothing was delivered/);
  assert.doesNotMatch(await page.locator('body').innerText(), /NaN|undefined|null|Infinity/);
  assert.match(await page.locator('#about').innerText(), /^\d+\.\d+\.\d+ · up \d+ s$/);
  assert.match(await page.locator('#process').innerText(), /Memory\s+\d+(\.\d)? MiB/);
  assert.deepEqual(foreign(requests), []);
  assert.deepEqual(complaints, []);
}, sources[name]);

check('new figures arrive by themselves, and a selection stays', async () => {
  server.status = busy();
  const { page } = await visit();
  await page.locator('#domains tbody th bdi').first().selectText();
  server.status.sessions.bosh += 1000;
  server.status.history.sessions = [...server.status.history.sessions.slice(1), 7316];
  await page.locator('#plot-sessions', { hasText: '7,316 of 15,000' }).waitFor();
  assert.equal(await page.title(), '7,316 sessions · boshd n1');
  assert.equal(await page.evaluate(() => getSelection().toString()), 'chat.example.org');
});

check('a plot tells its values to the pointer and to the keyboard', async () => {
  server.status = { ...fresh(), history: { step_seconds: 2, sessions: [10, 20, 30, 40], stanzas: [1, 2, 3, 4], bytes: [0, 0, 0, 0],
    delay_p99: [0.004, null, 0.002, null] } };
  const { page } = await visit();
  const box = await page.locator('#plot-sessions .area').boundingBox();
  await page.mouse.move(box.x + box.width - 0.25, box.y + 10);
  assert.equal(await page.locator('#plot-sessions .read').innerText(), '0:00 ago: 40');
  await page.mouse.move(box.x + 3, box.y + 10);
  assert.equal(await page.locator('#plot-sessions .read').innerText(), '0:06 ago: 10');
  await page.mouse.move(0, 0);
  assert.equal(await page.locator('#plot-sessions .read').innerText(), '');
  await page.locator('#plot-delay .area').focus();
  const heard = [];
  for (let step = 0; step < 3; ++step) {
    await page.keyboard.press('ArrowLeft');
    heard.push(await page.locator('#plot-delay .read').innerText());
  }
  assert.deepEqual(heard, ['0:00 ago: none', '0:02 ago: 2 ms', '0:04 ago: none']);
  // Of a top of 10 ms, in a field of 100 by 300 points; what is missing leaves a gap.
  assert.equal(await page.locator('#plot-delay .line').getAttribute('d'), 'M296 60.00h0M298 80.00h0');
  assert.equal(await page.locator('#plot-sessions .line').getAttribute('d'), 'M296 75.00L297 50.00L298 25.00L299 0.00');
});

check('what is wrong stands at the top, the worst first', async () => {
  server.status = troubled();
  const { page } = await visit();
  assert.equal(await page.locator('#state').innerText(), 'stuck');
  const said = await page.locator('#attention li').allInnerTexts();
  for (const expected of [/^A thread does not answer\s*Thread 1;/, /^The last reload failed[^]*boshd\.toml:41:12: limits\.max_request/,
    /^Trouble with the XMPP server\s*320 sessions of 1,034/, /^A certificate has expired\s*old\.example\.org/,
    /^A certificate expires in 11 days\s*intern\.example\.org/, /^Held requests are cut\s*by 10\.0\.0\.2/, /^Files run out\s*64,100 of 65,536/])
    assert.ok(said.some((line) => expected.test(line)), `${expected} in ${said.join('\n')}`);
  const levels = await page.locator('#attention li').evaluateAll((items) => items.map((item) => item.className));
  assert.deepEqual(levels, [...levels].sort());
  for (const target of await page.locator('#attention a').evaluateAll((links) => links.map((link) => link.hash)))
    assert.equal(await page.locator(target).count(), 1, target);
});

for (const [state, said] of Object.entries({ draining: /New sessions are refused, 6,316 sessions live on/, full: /limit of 15,000 sessions is reached/ }))
  check(`the state ${state} is told`, async () => {
    server.status = { ...busy(), state };
    const { page } = await visit();
    assert.equal(await page.locator('#state').innerText(), state);
    assert.match(await page.locator('#attention').innerText(), said);
    assert.match(await page.title(), new RegExp(`^${state}: `));
  });

check('what clients and servers name stays text', async () => {
  const hostile = '<img src=x onerror="document.title=1">';
  const attribute = '"><script>document.title=2</script>';
  const status = busy();
  server.status = { ...status, node: hostile,
    domains: [{ name: hostile, sessions: 2 }, { name: attribute.repeat(9), sessions: 1 }], addresses: [{ address: attribute, sessions: 3 }],
    ended: [{ reason: hostile, transport: hostile, count: 3, recent: 1 }], refused: [{ reason: attribute, count: 2, recent: 2 }],
    certificates: [{ file: hostile, names: [attribute], expires: status.now }],
    errors: [{ time: status.now, level: 'warning', event: hostile, text: attribute, count: 2 }],
    proxies: [{ address: hostile, problem: attribute, advice: hostile, since: status.now, count: 1 }],
    config: { ...status.config, file: hostile, reload_ok: false, reload_error: attribute } };
  const { page, requests, complaints } = await visit({ viewport: { width: 360, height: 800 } });
  assert.equal((await rows(page, 'domains'))[0][0], hostile);
  assert.equal((await rows(page, 'addresses'))[0][0], attribute);
  assert.equal(await page.locator('img, main script').count(), 0);
  assert.match(await page.title(), /sessions · boshd <img/);
  assert.equal(await excess(page), 0);
  assert.deepEqual(foreign(requests), []);
  assert.deepEqual(complaints, []);
});

for (const name of sourceNames) check(`a daemon that is gone is told, its figures turn grey, and come back with it: ${name}`, async () => {
  server.status = busy();  // boshd has its own
  const { page } = await visit();
  await server.stop();
  const banner = page.getByRole('alert');
  await banner.waitFor();
  assert.match(await banner.innerText(), /^No answer since \d\d:\d\d:\d\d\s*The figures are from then\. boshd cannot be reached/);
  assert.equal(await page.locator('#main.stale').isVisible(), true);
  assert.equal(await page.locator('#state').isVisible(), false);
  assert.equal(await page.title(), 'no answer · boshd');
  assert.deepEqual(await faint(page), []);
  await server.start();
  await banner.waitFor({ state: 'hidden' });
  assert.equal(await page.locator('#main.stale').count(), 0);
  assert.equal(await page.locator('#state').innerText(), 'ready');
}, sources[name]);

for (const [what, answer, said] of [
  ['an error', (response) => response.writeHead(502).end('<html>'), /status\.json was answered with 502/],
  ['half an answer', (response) => response.end('{"version":'), /status\.json is not whole/],
  ['an answer of another version', (response) => response.end('{}'), /does not understand status\.json/],
  ['a connection that breaks', (response) => response.destroy(), /boshd cannot be reached/],
]) check(`${what} in place of status.json is told`, async () => {
  const { page } = await visit();
  server.answer = answer;
  await page.locator('#silence', { hasText: said }).waitFor();
  server.answer = null;
  await page.locator('#silence').waitFor({ state: 'hidden' });
});

check('without JavaScript the page says where the figures are', async () => {
  const { page } = await visit({ javaScriptEnabled: false });
  assert.match(await page.locator('noscript').innerText(), /status\.json for programs and people, and in metrics/);
  assert.equal(await page.locator('#main').isVisible(), false);
});

for (const colorScheme of schemes) for (const make of [fresh, busy, troubled])
  check(`a ${make.name} daemon fits and is legible, from 360 to 1600 pixels, ${colorScheme}`, async () => {
    server.status = make();
    const { page } = await visit({ colorScheme });
    assert.equal(await page.evaluate(() => matchMedia('(prefers-color-scheme: dark)').matches), colorScheme === 'dark');
    for (const width of [360, 390, 700, 701, 1080, 1081, 1600]) {
      await page.setViewportSize({ width, height: 900 });
      assert.equal(await excess(page), 0, `${width} pixels`);
    }
    assert.deepEqual(await faint(page), []);
  });

check('headings, tables and live regions make sense to a screen reader', async () => {
  server.status = busy();
  const { page } = await visit();
  assert.equal(await page.getByRole('heading', { level: 1 }).count(), 1);
  const sections = await page.getByRole('heading', { level: 2 }).allTextContents();
  assert.deepEqual(sections, ['Needs attention', 'Sessions', 'Stanzas', 'Traffic', 'Delay p99', 'Connections and sessions', 'Why sessions ended',
    'Sessions refused', 'Domains', 'Addresses', 'Certificates', 'In front of boshd', 'Errors and warnings', 'Process', 'Threads']);
  assert.equal(await page.locator('table:not(:has(thead th[scope=col]))').count(), 0);
  assert.equal(await page.locator('tbody tr:not(:has(th[scope=row]))').count(), 0);
  assert.match(await page.locator('#plot-sessions .area').getAttribute('aria-label'), /^Sessions: lowest [\d,]+, highest [\d,]+/);
});

// STATUS_URL: that of a running boshd.
if (process.env.SCREENSHOT) check('a picture for the README', async () => {
  server.status = busy();
  const { page } = await visit({ viewport: { width: 1400, height: 900 }, colorScheme: 'light' }, process.env.STATUS_URL);
  writeFileSync(process.env.SCREENSHOT, repack(await page.screenshot()));
});
