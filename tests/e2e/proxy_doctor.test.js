// nginx, HAProxy and Apache set up badly in front of boshd: it says what is wrong and what to write, and keeps sessions
// going meanwhile.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import { setTimeout as wait } from 'node:timers/promises';
import { startApache } from './apache.mjs';
import { startEchoServer } from './echo_server.mjs';
import { startHaproxy } from './haproxy.mjs';
import { startNginx } from './nginx.mjs';
import { freePort, stopEach } from './process.mjs';
import { startBoshd } from './servers.mjs';

const patience = 7;   // of the proxies, in seconds
const sessions = 10;  // half a second apart
const headers = { host: 'chat.example.org', 'content-type': 'text/xml', origin: 'https://chat.example.org' };

// The answer to a request on a connection of its own.
async function ask(port, { method = 'POST', path = '/http-bind', body = '', more = {} }) {
  const request = http.request({ host: '127.0.0.1', port, method, path, agent: false, headers: { ...headers, ...more } });
  request.end(body);
  const [response] = await once(request, 'response');
  let text = '';
  for await (const piece of response.setEncoding('utf8')) text += piece;
  return { status: response.statusCode, text };
}

const post = (port, attributes) => ask(port, {
  body: `<body xmlns='http://jabber.org/protocol/httpbind' xmlns:xmpp='urn:xmpp:xbosh' ${attributes}/>`,
});

async function begin(port) {
  const { text } = await post(port, "rid='1' to='localhost' wait='60' hold='1' ver='1.6' xmpp:version='1.0'");
  const [, wait] = / wait='(\d+)'/.exec(text) ?? assert.fail(text);
  return { sid: / sid='([^']*)'/.exec(text)[1], wait: Number(wait) };
}

async function startNginxWith(address, settings) {
  const port = await freePort();
  const stop = await startNginx((_, folders) => `
    http {
      ${folders}
      access_log off;
      server {
        listen 127.0.0.1:${port};
        location / {
          proxy_pass http://${address};
          ${settings}
        }
      }
    }
  `);
  return { port, stop };
}

const impatient = {
  nginx: {
    start: (address) => startNginxWith(address, `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
      proxy_read_timeout ${patience}s;
    `),
    advice: 'proxy_read_timeout 75s',
  },
  apache: {
    start: (address) => startApache(`
      ProxyTimeout ${patience}
      ProxyPass / http://${address}/
    `),
    advice: 'ProxyTimeout 75',
  },
  haproxy: {
    listen: 'proxy_protocol = true\n',
    start: (address) => startHaproxy(address, { mode: 'http', patience }),
    advice: 'timeout server 75s',
  },
};

let echo;
before(async () => (echo = await startEchoServer()));
after(() => echo.stop());

// boshd with these settings of its listener, and a proxy before it. Each thread draws its own conclusions, so there is one.
async function startBoth({ listen = '', start }) {
  const first = 'threads = 1\nmetrics.address = ""\nstop.drain = "0s"\n';
  const boshd = await startBoshd(`${listen}[upstream]\nserver = "127.0.0.1:${echo.port}"\n`, first);
  const proxy = await start(new URL(boshd.url).host);
  return { boshd, port: proxy.port, stop: () => stopEach([proxy, boshd]) };
}

describe(`a proxy that waits for ${patience} s is noticed, and from then on answered in time`, { concurrency: true }, () => {
  for (const [name, front] of Object.entries(impatient))
    test(name, async () => {
      const { boshd, port, stop } = await startBoth(front);
      try {
        const statuses = await Promise.all([...Array(sessions)].map(async (_, number) => {
          await wait(500 * number);
          const { sid, wait: granted } = await begin(port);
          assert.equal(granted, 60);
          return (await post(port, `rid='2' sid='${sid}'`)).status;
        }));
        assert.ok(statuses.filter((status) => status >= 500).length >= 5, `${statuses}`);
        const found = /proxy-problem problem=held-requests-cut address=127\.0\.0\.1 advice="it cuts held requests after (\d+) s; .*/;
        await boshd.logged('finding', (log) => found.test(log));
        const [line, seconds] = found.exec(boshd.log);
        assert.ok(line.includes(front.advice), line);
        assert.ok(Math.abs(seconds - patience) <= 1, line);
        const { sid, wait: granted } = await begin(port);
        assert.equal(granted, 5);
        assert.equal((await post(port, `rid='2' sid='${sid}'`)).status, 200);
      } finally {
        await stop();
      }
    });
});

test('nginx as it is by itself: no header, HTTP/1.0, no Upgrade', async () => {
  const { boshd, port, stop } = await startBoth({ start: (address) => startNginxWith(address, '') });
  try {
    for (let session = 0; session < 3; ++session) {
      const { sid } = await begin(port);
      for (let rid = 2; rid < 9; ++rid) await post(port, `rid='${rid}' sid='${sid}' pause='1'`);
    }
    const more = {
      'connection': 'Upgrade', 'upgrade': 'websocket', 'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
      'sec-websocket-version': '13', 'sec-websocket-protocol': 'xmpp',
    };
    for (let attempt = 0; attempt < 3; ++attempt)
      assert.equal((await ask(port, { method: 'GET', path: '/xmpp-websocket', more })).status, 426);
    for (const problem of ['no-forwarded-for', 'http10', 'no-upgrade'])
      await boshd.logged(problem, (log) => log.includes(`proxy-problem problem=${problem} address=127.0.0.1 `));
  } finally {
    await stop();
  }
});
