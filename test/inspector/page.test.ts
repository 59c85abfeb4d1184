/** The inspector's page in a real Chromium, over the real machines. */
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createActor } from 'xstate';
import { type Inspector, startInspector } from '../../inspector/server.ts';
import { buildPage } from './build-page.ts';
import { type LiveRun, liveRun } from './live-run.ts';
import { oddMachine } from './odd-chart.ts';

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

describe.skipIf(!CHROMIUM)('the inspector’s page', () => {
  let browser: Browser;
  let inspector: Inspector;
  let run: LiveRun;
  let page: Page;
  let stately: Server;
  let built: ReturnType<typeof buildPage>;
  const outside: string[] = [];
  const errors: string[] = [];
  const stateOf = (name: string) => page.locator('#actors [role=option]', { hasText: name }).first();

  async function open(at = inspector): Promise<Page> {
    const context = await browser.newContext();
    const opened = await context.newPage();
    opened.on('request', (seen) => {
      if (!seen.url().startsWith(new URL(at.url).origin)) outside.push(seen.url());
    });
    opened.on('pageerror', (error) => errors.push(error.message));
    opened.on('dialog', () => errors.push('a dialog was opened'));
    await opened.clock.install();
    await opened.goto(at.url);
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
    built = buildPage();
    inspector = await startInspector({
      now: Date.now,
      compiled: built.folder,
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
    built?.remove();
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

  it('what happens after the hand-over follows it', async () => {
    const popup = page.context().pages().at(-1)!;
    const names = () =>
      popup.evaluate(() =>
        (globalThis as unknown as { got: { type: string; event?: { type: string } }[] }).got
          .filter(({ type }) => type === '@xstate.event')
          .map(({ event }) => event?.type ?? ''),
      );
    const before = (await names()).length;
    await run.endTurn('emp-generation', 'complete');
    await expect.poll(async () => (await names()).slice(before)).toContain('session.turn-ended');
    await popup.close();
  });

  describe('with a machine that has everything', () => {
    let own: Inspector;
    let view: Page;
    const actor = () => createActor(oddMachine, { inspect: own.inspect }).start();
    let odd: ReturnType<typeof actor>;
    const lit = (path: string) =>
      view.waitForSelector(`#canvas g.state.active[data-path="${path}"]`, { state: 'attached' });

    beforeAll(async () => {
      own = await startInspector({ now: Date.now, compiled: built.folder });
      odd = actor();
      view = await open(own);
    });
    afterAll(() => own?.close());

    it('lights every region of a parallel state, and marks the way that was taken', async () => {
      await lit('idle');
      odd.send({ type: 'start' });
      await lit('both.left.one');
      await lit('both.right.one');
      odd.send({ type: 'left' });
      await lit('both.left.two');
      expect(await view.locator('path.arrow.taken').getAttribute('data-id')).toBe('both.left.one→both.left.two');
      expect(await view.locator('g.state.visited[data-path="both.left.one"]').count()).toBe(1);
      expect(await view.locator('g.state.active[data-path="both.left.one"]').count()).toBe(0);
      expect(await view.locator('#calls').textContent()).toContain('upload');
    });

    it('draws endings, history, guards, delays and wildcards', async () => {
      const drawn = (await view.locator('#canvas svg').textContent()) ?? '';
      for (const text of [
        'sync.*',
        '[ready and not tired]',
        '[else]',
        'after patience',
        'after 5 s',
        'upload failed',
        '↺ *',
      ]) {
        expect(drawn).toContain(text);
      }
      expect(await view.locator('g.state.final').count()).toBe(4);
      expect(await view.locator('g.state.history circle').count()).toBe(1);
    });

    it('stands still while paused, counts what is new, and shows it afterwards', async () => {
      const rows = view.locator('#events li');
      const before = await rows.count();
      await view.keyboard.press('p');
      for (let i = 0; i < 3; i++) odd.send({ type: 'noise' });
      await view.locator('#events-count', { hasText: '3 new' }).waitFor();
      expect(await rows.count()).toBe(before);
      await view.keyboard.press('p');
      await expect.poll(() => rows.count()).toBe(before + 3);
    });

    it('filters events by every word, over names and types', async () => {
      await view.locator('#event-filter').fill('odd noise');
      await expect.poll(() => view.locator('#events li').count()).toBe(3);
      await view.locator('#event-filter').press('Escape');
      await expect.poll(() => view.locator('#events li').count()).toBeGreaterThan(3);
    });

    it('says that it is over when muster has ended, keeps what it showed, and its times stand still', async () => {
      await own.close();
      await view.locator('#connection[data-state=ended]').waitFor();
      await lit('both.left.two');
      const times = await view.locator('#times').textContent();
      await view.clock.fastForward(60_000);
      expect(await view.locator('#times').textContent()).toBe(times);
    });
  });

  it('is worked by keyboard: arrows choose an actor, "/" finds one, "f" and "+" move the chart', async () => {
    await page.locator('#actors').press('Home');
    expect(await page.locator('#subject').textContent()).toBe('orchestrator');
    await page.keyboard.press('ArrowDown');
    expect(await page.locator('#subject').textContent()).toBe('server');
    await page.keyboard.press('/');
    await page.keyboard.type('lbs');
    await page.keyboard.press('Enter');
    expect(await page.locator('#subject').textContent()).toBe('lbs-extraction');
    expect(await page.locator('#actors [role=option]:visible').count()).toBe(1);
    await page.keyboard.press('/');
    await page.keyboard.press('Escape');
    await page.locator('#actors').focus();
    await page.waitForSelector('#canvas svg');
    const box = () => page.locator('#canvas svg').getAttribute('viewBox');
    const fitted = await box();
    await page.keyboard.press('+');
    expect(await box()).not.toBe(fitted);
    await page.keyboard.press('f');
    expect(await box()).toBe(fitted);
  });

  it('a Stately window that moved to another origin gets nothing, and the person hears that there was no answer', async () => {
    const got: string[] = [];
    const elsewhere = createServer((seen, response) => {
      response.setHeader('content-type', 'text/html');
      if (seen.url === '/inspect') {
        const { port } = elsewhere.address() as AddressInfo;
        response.end(`<script>location.href = 'http://localhost:${port}/moved'</script>`);
      } else if (seen.url === '/moved') {
        response.end(
          `<script>addEventListener('message', () => fetch('/got')); opener.postMessage({ type: '@statelyai.connected' }, '*'); setTimeout(() => fetch('/ready'), 300);</script>`,
        );
      } else {
        got.push(seen.url ?? '');
        response.end();
      }
    }).listen(0, '127.0.0.1');
    await new Promise((resolve) => elsewhere.once('listening', resolve));
    const own = await startInspector({
      now: Date.now,
      compiled: built.folder,
      statelyOrigin: `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`,
    });
    const lamp = createActor(oddMachine, { inspect: own.inspect }).start();
    const view = await (await browser.newContext()).newPage();
    await view.clock.install();
    await view.goto(own.url);
    await view.locator('#connection[data-state=live]').waitFor();
    await view.locator('#stately').click();
    await expect.poll(() => got, { timeout: 10_000 }).toContain('/ready');
    lamp.send({ type: 'start' });
    await view.clock.fastForward(5_001);
    await view.locator('#stately-note', { hasText: 'No answer' }).waitFor();
    expect(got).not.toContain('/got');
    await view.context().close();
    await own.close();
    elsewhere.close();
  });
});
