/** Appends facts to a new journal without end; prints the last seq each time the journal says it is on disk. */
import { openJournal } from '../../src/journal/writer.ts';

const [file] = process.argv.slice(2);
const journal = openJournal(file!, { clock: Date });
for (let seq = 0; ; ) {
  for (let at = 0; at < 25; at += 1) {
    seq += 1;
    journal.append({ type: 'server.lost', cause: { code: 'TEST', message: `${seq} ${'x'.repeat(seq % 700)}` } });
  }
  await journal.flushed();
  console.log(seq);
}
