/** The inspector's page in a real Chromium, over the real machines. */
import { spawnSync } from 'node:child_process';
import { createServer, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Inspector, startInspector } from '../../inspector/server.ts';
import { type LiveRun, liveRun } from './live-run.ts';

const CHROMIUM = process.env['CHROMIUM'] ?? spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout.trim();
const SECRET = 'open-sesame-123';
const HOSTILE = '<img src=x onerror=alert(1)>';
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

if (!CHROMIUM && process.env['MUSTER_REQUIRE_BROWSER'])
  throw new Error('expected Chromium; install the package "chromium"');
if (!CHROMIUM)
  process.stdout.write('No Chromium here: the inspector page is not tested. Install the package "chromium".\n');

function get(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; body: string; csp: string }> {
  return new Promise((resolve, reject) => {
    request(url, { headers }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      response.on('end', () =>
        resolve({ status: response.statusCode!, body, csp: String(response.headers['content-security-policy']) }),
      );
    })
      .on('error', reject)
      .end();
  });
}

describe('the inspector’s server', () => {
  let inspector: Inspector;
  beforeAll(async () => {
    inspector = await startInspector({ now: () => 0 });
  });
  afterAll(() => inspector.close());

  it('listens on loopback and shows nothing without the token of the run', async () => {
    const { origin, hostname, searchParams } = new URL(inspector.url);
    expect(hostname).toBe('127.0.0.1');
    expect(searchParams.get('token')!.length).toBeGreaterThanOrEqual(32);
    expect(await get(`${origin}/`)).toMatchObject({ status: 401 });
    expect(await get(`${origin}/feed?token=wrong`)).toMatchObject({ status: 401 });
    expect(await get(inspector.url)).toMatchObject({ status: 200 });
  });

  it('refuses a name that only resolves to loopback, and allows the page no other origin', async () => {
    expect(await get(inspector.url, { host: 'evil.example' })).toMatchObject({ status: 403 });
    expect((await get(inspector.url)).csp).toMatch(/default-src 'none'; script-src 'self'.*connect-src 'self'/);
  });

  it('has no file but its own', async () => {
    const { origin } = new URL(inspector.url);
    for (const path of ['/../package.json', '/page/%2e%2e/%2e%2e/package.json', '/etc/passwd']) {
      expect((await get(origin + path)).status).toBe(404);
    }
  });
});

describe.skipIf(!CHROMIUM)('the inspector’s page', () => {
  let browser: Browser;
  let inspector: Inspector;
  let run: LiveRun;
  let page: Page;
  let stately: Server;
  const outside: string[] = [];
  const errors: string[] = [];
  const stateOf = (name: string) => page.locator('#actors [role=option]', { hasText: name }).first();

  async function open(): Promise<Page> {
    const context = await browser.newContext();
    const opened = await context.newPage();
    opened.on('request', (seen) => {
      if (!seen.url().startsWith(new URL(inspector.url).origin)) outside.push(seen.url());
    });
    opened.on('pageerror', (error) => errors.push(error.message));
    opened.on('dialog', () => errors.push('a dialog was opened'));
    await opened.goto(inspector.url);
    return opened;
  }

  beforeAll(async () => {
    // A stand-in for the Stately inspector: says hello to its opener and keeps what it is told.
    stately = createServer((_, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        `<script>window.got = []; addEventListener('message', (m) => window.got.push(m.data)); opener.postMessage({ type: '@statelyai.connected' }, '*');</script>`,
      );
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => stately.once('listening', resolve));
    inspector = await startInspector({
      now: Date.now,
      statelyOrigin: `http://127.0.0.1:${(stately.address() as AddressInfo).port}`,
    });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
    run = await liveRun(inspector.inspect, ['ITP-01', HOSTILE], SECRET);
    page = await open();
  }, 60_000);
  afterAll(async () => {
    run?.stop();
    await browser?.close();
    await inspector?.close();
    stately?.close();
  });

  it('lists every actor that began before the page was opened, with its state', async () => {
    await stateOf('orchestrator').waitFor();
    expect(await stateOf('orchestrator').textContent()).toContain('running');
    expect(await stateOf('wbs-extraction').textContent()).toContain('working');
    expect(await stateOf('lbs-extraction').textContent()).toContain('waiting');
  });

  it('draws the chart of the chosen actor with its current state lit, and follows it', async () => {
    await stateOf('wbs-extraction').click();
    const lit = page.locator('#canvas g.state.active[data-path]');
    await page.waitForSelector('#canvas g.state.active[data-path*="working"]', { state: 'attached' });
    await run.endTurn('wbs-extraction', 'complete');
    await page.waitForSelector('#canvas g.state.active[data-path="done"]', { state: 'attached' });
    const paths = await lit.evaluateAll((groups) => groups.map((group) => group.getAttribute('data-path')));
    expect(paths).toContain('done');
    expect(await page.locator('#canvas g.state.visited[data-path*="validating"]').count()).toBeGreaterThan(0);
    expect(await stateOf('lbs-extraction').textContent()).toContain('working');
  });

  it('shows the events between actors in order', async () => {
    const rows = await page
      .locator('#events li')
      .evaluateAll((items) =>
        items.map((item) => ({ seq: Number(item.getAttribute('data-seq')), text: item.textContent ?? '' })),
      );
    expect(rows.map(({ seq }) => seq)).toEqual(rows.map(({ seq }) => seq).sort((a, b) => a - b));
    const ended = rows.findIndex(({ text }) => text.includes('session.turn-ended') && text.includes('wbs-extraction'));
    const started = rows.findIndex(({ text }) => text.includes('task.start') && text.includes('lbs-extraction'));
    expect(ended).toBeGreaterThan(-1);
    expect(started).toBeGreaterThan(ended);
  });

  it('shows names from documents as text', async () => {
    await run.endTurn('pqp-generation', 'complete');
    const hostile = page.locator('#actors [role=option]', { hasText: HOSTILE });
    await hostile.waitFor();
    await hostile.click();
    expect(await page.locator('#subject').textContent()).toContain(HOSTILE);
    expect(await page.locator('img[src="x"]').count()).toBe(0);
  });

  it('shows a page that is opened later the same', async () => {
    const late = await open();
    await late.locator('#actors [role=option]', { hasText: HOSTILE }).waitFor();
    const states = (of: Page) =>
      of
        .locator('#actors [role=option]')
        .evaluateAll((options) =>
          options.map((option) => (option.textContent ?? '').replace(/[\d.]+ (ms|s|min)/g, '')),
        );
    expect(await states(late)).toEqual(await states(page));
    await late.close();
  });

  it('carries no context, input, output or payload, and asks nobody else for anything', async () => {
    expect(await page.content()).not.toContain(SECRET);
    expect(outside).toEqual([]);
    expect(errors).toEqual([]);
  });

  it('hands the same events to the Stately inspector, only after a click', async () => {
    const popup = page.context().waitForEvent('page');
    await page.locator('#stately').click();
    const window_ = await popup;
    await window_.waitForFunction(() => (globalThis as unknown as { got: unknown[] }).got.length > 10);
    const got = (await window_.evaluate(() => (globalThis as unknown as { got: unknown[] }).got)) as {
      type: string;
      _version: string;
      name?: string;
      definition?: string;
    }[];
    expect(new Set(got.map(({ type }) => type))).toEqual(
      new Set(['@xstate.actor', '@xstate.event', '@xstate.snapshot']),
    );
    expect(got.every(({ _version }) => typeof _version === 'string')).toBe(true);
    const charts = got
      .filter(({ type }) => type === '@xstate.actor')
      .map(({ definition }) => JSON.parse(definition!) as { id: string });
    expect(new Set(charts.map(({ id }) => id))).toContain('orchestrator');
    expect(JSON.stringify(got)).not.toContain(SECRET);
  });
});
