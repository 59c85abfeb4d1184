/**
 * What group commit is worth: facts per second of the journal when many are appended at once, against one fdatasync per
 * line. Prints one JSON object; the ratio depends on the disk.
 */
import { fdatasyncSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../src/journal/writer.ts';

const FACTS = 2000;
const BURST = 50;
const folder = mkdtempSync(join(tmpdir(), 'muster-bench-'));

const journal = openJournal(join(folder, 'grouped.jsonl'), { clock: Date });
const groupedStart = performance.now();
for (let at = 0; at < FACTS; at += BURST) {
  for (let of = 0; of < BURST; of += 1) journal.append({ type: 'stream.connected', connection: at + of });
  await journal.flushed();
}
const groupedMs = performance.now() - groupedStart;
await journal.close();

const descriptor = openSync(join(folder, 'single.jsonl'), 'a');
const singleStart = performance.now();
for (let seq = 1; seq <= FACTS; seq += 1) {
  const time = new Date().toISOString();
  writeSync(descriptor, `${JSON.stringify({ seq, time, type: 'stream.connected', connection: seq })}\n`);
  fdatasyncSync(descriptor);
}
const singleMs = performance.now() - singleStart;
rmSync(folder, { recursive: true });

const perSecond = (ms: number) => Math.round((FACTS / ms) * 1000);
console.log(
  JSON.stringify({
    facts: FACTS,
    burst: BURST,
    groupedPerSecond: perSecond(groupedMs),
    singlePerSecond: perSecond(singleMs),
    ratio: Number((singleMs / groupedMs).toFixed(1)),
  }),
);
