/** `muster score`: how well a run found what is true. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ensureError, MusterError } from '../errors.ts';
import { findJsonFault } from '../manifest/json-fault.ts';
import { scoreGraph } from '../score/score.ts';
import { scoringOf } from '../score/scoring-of.ts';
import { scoreDetails, scoreTable } from '../score/table.ts';
import { readTruth } from '../score/truth-file.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';
import { openTarget } from './graph-of-run.ts';
import { visible } from './terminal.ts';

interface ScoreOptions {
  readonly truth: string;
  readonly home: string;
  readonly manifest?: string;
  readonly json?: boolean;
}

/** Prints the score of a run, a graph file or a database. @throws MusterError TRUTH_INVALID, and as openTarget does. */
export async function score(target: string | undefined, options: ScoreOptions): Promise<void> {
  const json = await readJson(resolve(options.truth));
  const opened = await openTarget(target, options);
  try {
    const { store, schema, scope, runId, model } = opened;
    const truth = readTruth(json, schema, resolve(options.truth));
    const found = await readSnapshot(store, {
      schema,
      ...(scope !== undefined && { scope }),
      ...(runId !== undefined && { runId }),
    });
    const result = scoreGraph(scoringOf(schema), truth, found);
    const of = runId === undefined ? { graph: opened.location } : { run: runId, project: scope, model };
    if (options.json) {
      process.stdout.write(`${JSON.stringify({ ...of, ...result }, null, 2)}\n`);
      return;
    }
    const head = Object.entries(of).map(([name, value]) => `${name} ${value}`);
    const details = scoreDetails(result);
    const lines = [
      head.join(' · '),
      ...scoreTable(result).split('\n'),
      ...(details ? ['', ...details.split('\n')] : []),
    ];
    process.stdout.write(`${lines.map(visible).join('\n')}\n`);
  } finally {
    await opened.close();
  }
}

async function readJson(file: string): Promise<unknown> {
  const text = await readFile(file, 'utf8').catch((thrown: unknown) => {
    const cause = ensureError(thrown);
    throw new MusterError(
      'TRUTH_INVALID',
      `expected a truth file at ${file}: ${cause.message}. Name one with --truth, such as what "muster export --format json" wrote and a person corrected`,
      { cause },
    );
  });
  const plain = text.replace(/^\uFEFF/, '');
  const fault = findJsonFault(plain);
  if (!fault) return JSON.parse(plain);
  const { line, column, message } = fault;
  throw new MusterError('TRUTH_INVALID', `expected JSON in ${file}, line ${line}, column ${column}: ${message}`);
}
