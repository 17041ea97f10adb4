// Headless Chromium, as Debian packages it. It asks nobody but this machine.
import { chromium } from 'playwright-core';

// `rules`: where hosts are, in Chromium's own words.
export const launch = (rules = 'MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1', ...more) =>
  chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking',
      '--disable-component-update', '--disable-sync',
      `--host-resolver-rules=${rules}`, ...more],
  });
