import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Tool } from '../../src/agent-tools/desk.ts';
import { openEmbeddedGraph } from '../../src/graph/embedded.ts';
import type { GraphStore } from '../../src/ports.ts';
import { publicationFile, readPublication, writePublication } from '../../src/run/attempt-files.ts';
import { CallLog, readCalls } from '../../src/run/call-log.ts';
import { DurableDesk } from '../../src/run/durable-desk.ts';
import { contextOf, row } from '../output/library.ts';

let graph: GraphStore;
let folder: string;
beforeEach(() => {
  graph = openEmbeddedGraph(':memory:');
  folder = mkdtempSync(join(tmpdir(), 'muster-work-'));
});
afterEach(async () => {
  await graph.close();
  rmSync(folder, { recursive: true, force: true });
});

const file = () => join(folder, 'paper', 'attempt-1.calls.jsonl');
const deskOn = (log: CallLog, told: unknown[] = []) =>
  new DurableDesk(
    { context: contextOf('courses'), graph, runId: 'now', onAnswer: (answer) => void told.push(answer) },
    log,
  );
const course = (courseNo: string) => ({ entities: [row('Course', { courseNo })] });

describe('the accepted calls of an attempt', () => {
  it('are on disk before they are answered', async () => {
    const desk = deskOn(new CallLog(file()));
    await desk.answer('submit', course('C-1'));
    expect((await readCalls(file()))?.calls).toEqual([{ tool: 'submit', arguments: course('C-1'), accepted: 1 }]);
    await desk.answer('complete', { summary: 'one' });
    expect((await readCalls(file()))?.calls).toHaveLength(2);
  });

  it('leave readings out, and keep the order of calls that came together', async () => {
    const desk = deskOn(new CallLog(file()));
    await Promise.all([
      desk.answer('submit', course('C-1')),
      desk.answer('read', { entity: 'Course' }),
      desk.answer('withdraw', { entities: [{ entity: 'Course', key: { courseNo: 'C-1' } }] }),
      desk.answer('submit', course('C-2')),
    ]);
    expect((await readCalls(file()))?.calls.map(({ tool }) => tool)).toEqual(['submit', 'withdraw', 'submit']);
  });

  it('repeated on a fresh desk stage the same, without telling the journal again, for any sequence of calls', async () => {
    const call: fc.Arbitrary<readonly [Tool, unknown]> = fc.oneof(
      fc.constantFrom('C-1', 'C-2', 'c!').map((no) => ['submit', course(no)] as const),
      fc
        .constantFrom('C-1', 'C-2')
        .map((courseNo) => ['withdraw', { entities: [{ entity: 'Course', key: { courseNo } }] }] as const),
      fc.constant(['complete', { summary: 's' }] as const),
      fc.constant(['submit', { entities: ['nonsense'] }] as const),
    );
    let n = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(call, { maxLength: 8 }), async (calls) => {
        const path = join(folder, `calls-${n++}.jsonl`);
        const log = new CallLog(path);
        const desk = deskOn(log);
        for (const [tool, input] of calls) await desk.answer(tool, input);
        await log.close();
        const told: unknown[] = [];
        const again = deskOn(new CallLog(path, 0), told);
        expect(await again.replay((await readCalls(path))!.calls)).toBe(true);
        expect(told).toEqual([]);
        const review = await desk.review();
        expect(await again.review()).toEqual(review);
        if (review.complete) expect(await again.publication()).toEqual(await desk.publication());
      }),
      { numRuns: 80 },
    );
  });

  it('tell that a refused submit took a completion back', async () => {
    const log = new CallLog(file());
    const desk = deskOn(log);
    await desk.answer('submit', course('C-1'));
    await desk.answer('complete', { summary: 'one' });
    await desk.answer('submit', { entities: ['nonsense'] });
    await log.close();
    expect((await desk.review()).complete).toBe(false);
    const again = deskOn(new CallLog(file(), 0));
    await again.replay((await readCalls(file()))!.calls);
    expect((await again.review()).complete).toBe(false);
  });

  it('do not count when one is answered otherwise than it was', async () => {
    const desk = deskOn(new CallLog(file()));
    const calls = [{ tool: 'submit' as const, arguments: course('C-1'), accepted: 0 }];
    expect(await desk.replay(calls)).toBe(false);
  });

  it('go on behind the last whole line: what stands behind it was never answered', async () => {
    const first = new CallLog(file());
    await deskOn(first).answer('submit', course('C-1'));
    await first.close();
    writeFileSync(file(), `${readFileSync(file(), 'utf8')}{"tool":"submit","argu`);
    const { calls, bytes } = (await readCalls(file()))!;
    expect(calls).toHaveLength(1);
    const log = new CallLog(file(), bytes);
    const desk = deskOn(log);
    await desk.replay(calls);
    await desk.answer('submit', course('C-2'));
    expect((await readCalls(file()))?.calls.map(({ arguments: a }) => a)).toEqual([course('C-1'), course('C-2')]);
  });

  it('are given up when a line in the middle is damaged', async () => {
    await deskOn(new CallLog(file())).answer('submit', course('C-1'));
    writeFileSync(file(), `nonsense\n${readFileSync(file(), 'utf8')}`);
    expect(await readCalls(file())).toBeUndefined();
  });

  it('that cannot be written are not answered, from the first failure on', async () => {
    writeFileSync(join(folder, 'paper'), 'a file where the folder should be');
    const desk = deskOn(new CallLog(file()));
    await expect(desk.answer('submit', course('C-1'))).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
    rmSync(join(folder, 'paper'));
    await expect(desk.answer('submit', course('C-2'))).rejects.toMatchObject({ code: 'FOLDER_NOT_WRITABLE' });
  });

  it('take in nothing that is judged while the attempt ends: the file belongs to whoever goes on with it', async () => {
    let judged = (): void => {};
    const busy = new Promise<void>((resolve) => {
      judged = resolve;
    });
    const told: { tool: string }[] = [];
    const before = new CallLog(file());
    await deskOn(before).answer('submit', course('C-1'));
    await before.close();
    const log = new CallLog(file(), readFileSync(file()).length);
    const desk = new DurableDesk(
      {
        context: contextOf('courses'),
        graph,
        runId: 'now',
        judge: async () => {
          await busy;
          return { issues: [], notes: [] };
        },
        onAnswer: (answer) => void told.push(answer),
      },
      log,
    );
    await desk.answer('submit', course('C-2'));
    const kept = readFileSync(file(), 'utf8');
    const late = desk.answer('complete', { summary: 'all' });
    await log.close();
    judged();
    await expect(late).rejects.toMatchObject({ code: 'AGENT_TOOLS' });
    await expect(log.append({ tool: 'submit', arguments: {}, accepted: 1 })).rejects.toMatchObject({ code: 'BUG' });
    expect(readFileSync(file(), 'utf8')).toBe(kept);
    expect(told.map(({ tool }) => tool)).toEqual(['submit']);
  });

  it('of an attempt that no journal knows any more give way to a new one of that number', async () => {
    await deskOn(new CallLog(file())).answer('submit', course('C-1'));
    await deskOn(new CallLog(file())).answer('submit', course('C-2'));
    expect((await readCalls(file()))?.calls.map(({ arguments: a }) => a)).toEqual([course('C-2')]);
  });
});

describe('the publication of an attempt', () => {
  const publication = {
    nodes: [{ entity: 'Book', key: ['L', 'B'], properties: { code: 'B', 'ü"': 1.5 } }],
    relationships: [],
  };

  it('is read as it was written', async () => {
    const path = publicationFile(folder, 'paper[B/1]', 2);
    await writePublication(path, publication);
    expect(await readPublication(path)).toEqual(publication);
  });

  it('is none when it is missing, torn or changed', async () => {
    const path = publicationFile(folder, 'paper', 1);
    expect(await readPublication(path)).toBeUndefined();
    await writePublication(path, publication);
    const whole = readFileSync(path, 'utf8');
    for (let length = 0; length < whole.length - 1; length += 7) {
      writeFileSync(path, whole.slice(0, length));
      expect(await readPublication(path)).toBeUndefined();
    }
    writeFileSync(path, whole.replace('1.5', '2.5'));
    expect(await readPublication(path)).toBeUndefined();
  });
});
