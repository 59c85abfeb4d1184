/** `muster runs` and `muster report`: what is on disk of earlier runs. */
import { readJournal } from '../journal/reader.ts';
import { findRun, latestRun, listRuns } from '../journal/run-folder.ts';
import type { RunSummary } from '../journal/run-summary.ts';
import { duration } from '../report/format.ts';
import { reportMarkdown, reportOf } from '../report/report.ts';
import { viewOf } from '../report/run-view.ts';
import { readDocumentRecords } from '../run/document-records.ts';
import { drawReport } from './report-page.ts';
import { colorsFor, visible } from './terminal.ts';

/** Lists the runs, newest first. */
export async function runs(options: { home: string; json?: boolean }): Promise<void> {
  const found = await listRuns(options.home);
  if (options.json) {
    const rows = found.map(({ folder, ...run }) => ({ ...run, path: folder.path }));
    process.stdout.write(`${JSON.stringify(rows, null, 2)}\n`);
    return;
  }
  if (found.length === 0) {
    process.stdout.write('No runs yet. "muster rehearse" makes one without a model.\n');
    return;
  }
  for (const run of found) process.stdout.write(`${drawRun(run)}\n`);
}

function drawRun(run: RunSummary): string {
  const took = run.startedAt && run.lastAt ? duration(Date.parse(run.lastAt) - Date.parse(run.startedAt)) : '';
  const state = run.state === 'unreadable' ? `unreadable: ${run.problem}` : (run.outcome ?? 'not ended');
  const kind = run.rehearsal ? 'rehearsal' : 'run';
  const columns = [
    run.runId,
    state.padEnd(10),
    kind.padEnd(9),
    took.padStart(12),
    run.projectId ?? '',
    run.manifest ?? '',
  ];
  return columns.map(visible).join('  ').trimEnd();
}

/** Prints the report of one run, made anew from its journal. */
export async function report(
  id: string | undefined,
  options: { home: string; json?: boolean; markdown?: boolean },
): Promise<void> {
  const run = id === undefined || id === 'latest' ? await latestRun(options.home) : await findRun(options.home, id);
  const { events } = await readJournal(run.folder.journal);
  const made = reportOf(viewOf(events), await readDocumentRecords(run.folder.documents));
  if (options.json) process.stdout.write(`${JSON.stringify(made, null, 2)}\n`);
  else if (options.markdown) process.stdout.write(reportMarkdown(made));
  else process.stdout.write(`${drawReport(made, colorsFor(process.stdout, process.env))}\n`);
}
