/** The query tool's Cypher: one statement that only reads, against the run's graph or a database of the manifest. */
import type { Issue } from '../../schemas/run-event.ts';
import { ensureError, MusterError } from '../errors.ts';
import { didYouMean, isRecord, readArguments, show } from '../output/values.ts';
import type { CypherAnswer, CypherRequest, CypherSource, CypherValue } from '../ports.ts';
import { rowsThatFit } from './answer-text.ts';
import { bounded, type Reading, refused } from './reading.ts';

export interface CypherSources {
  /** The run's own graph. */
  readonly own: Pick<CypherSource, 'cypher'> | undefined;
  /** Databases of the manifest, by name. */
  readonly byName: ReadonlyMap<string, Pick<CypherSource, 'cypher'>>;
  /** Attribute of every key whose value is always `$` and its name: the project id. */
  readonly scope: Readonly<Record<string, string>>;
}

const ROWS = { default: 200, max: 1_000 };
const TIME_LIMIT_MS = 5_000;
const MAX_PARAMETERS = 50;

export function isCypherCall(input: unknown): boolean {
  return isRecord(input) && (input['cypher'] !== undefined || input['source'] !== undefined);
}

/** `{cypher, parameters?, source?, limit?}` → the columns, then one row of JSON for each row of the answer. */
export async function cypherText({ own, byName, scope }: CypherSources, input: unknown): Promise<Reading> {
  const issues: Issue[] = [];
  const given = readArguments(input, ['cypher', 'parameters', 'source', 'limit'], issues);
  const text = given['cypher'];
  if (typeof text !== 'string' || text.trim() === '') {
    issues.push({ path: 'cypher', message: `expected one Cypher statement that only reads; got ${show(text)}` });
  }
  const maxRows = bounded(given['limit'], 'limit', ROWS, issues);
  const parameters = { ...parametersOf(given['parameters'], issues), ...scope };
  const name = given['source'];
  let source = own;
  if (name !== undefined && name !== null) {
    const names = [...byName.keys()];
    source = typeof name === 'string' ? byName.get(name) : undefined;
    if (!source) {
      const known = names.length > 0 ? names.join(', ') : 'none; leave it out to ask the graph of this run';
      const message = `expected a database of this task (${known}); got ${show(name)}${didYouMean(name, names)}`;
      issues.push({ path: 'source', message });
    }
  } else if (!own) {
    issues.push({ path: 'cypher', message: 'cannot be asked here; use start and follow' });
  }
  if (issues.length > 0 || !source) return refused(issues);
  const request: CypherRequest = { text: text as string, parameters, maxRows, timeLimitMs: TIME_LIMIT_MS };
  try {
    return { text: answerText(await source.cypher(request)), issues };
  } catch (thrown) {
    const error = ensureError(thrown);
    if (!(error instanceof MusterError) || !error.code.startsWith('CYPHER_')) throw error;
    const cure = error.code === 'CYPHER_UNAVAILABLE' ? ' Use start and follow in place of Cypher.' : '';
    return refused([{ path: 'cypher', message: error.message + cure }]);
  }
}

function answerText({ columns, rows, truncated }: CypherAnswer): string {
  const written = rowsThatFit(rows.map((row) => JSON.stringify(row)));
  const more =
    truncated || written.length < rows.length ? ['There are more: narrow the question, or use SKIP and LIMIT.'] : [];
  return [`${written.length} rows of ${JSON.stringify(columns)}:`, ...written, ...more].join('\n');
}

function parametersOf(value: unknown, issues: Issue[]): Record<string, CypherValue> {
  if (value === undefined || value === null) return {};
  if (!isRecord(value) || Object.keys(value).length > MAX_PARAMETERS) {
    issues.push({
      path: 'parameters',
      message: `expected at most ${MAX_PARAMETERS} values by name, such as {"code": "5.2"}; got ${show(value)}`,
    });
    return {};
  }
  const isPlain = (one: unknown) =>
    one === null || ['string', 'boolean'].includes(typeof one) || (typeof one === 'number' && Number.isFinite(one));
  for (const [name, one] of Object.entries(value)) {
    if (isPlain(one) || (Array.isArray(one) && one.every(isPlain))) continue;
    issues.push({
      path: `parameters.${name.slice(0, 80)}`,
      message: `expected a value or a list of values; got ${show(one)}`,
    });
  }
  return value as Record<string, CypherValue>;
}
