/** `muster check`: judges the quality rules over a graph, at any time. */
import type { Finding, RunCheck } from '../../schemas/run-event.ts';
import { MusterError } from '../errors.ts';
import { checkLine } from '../rules/check.ts';
import { lateLinks } from '../rules/late-links.ts';
import { checkGraph } from '../run/conclude.ts';
import { readSnapshot } from '../snapshot/snapshot.ts';
import { type OpenedTarget, openTarget } from './graph-of-run.ts';
import { type Colors, colorsFor, visible } from './terminal.ts';

interface CheckOptions {
  readonly home: string;
  readonly manifest?: string;
  readonly project?: string;
  readonly json?: boolean;
}

/**
 * Prints the findings, worst first; exit code 1 when there is a blocker or an error.
 * @throws MusterError as openTarget does, USAGE when the graph holds several projects and none is named.
 */
export async function check(target: string | undefined, options: CheckOptions): Promise<void> {
  const opened = await openTarget(target, options);
  try {
    const { store: graph, schema } = opened;
    const scope = options.project ?? (await scopeOf(opened));
    // Only looked at: what the run draws late is the run's to write.
    const { dangling } = lateLinks(schema, scope, await readSnapshot(graph, { schema, scope }));
    const found = await checkGraph({ graph, schema, scope }, { drawn: 0, dangling });
    if (options.json)
      process.stdout.write(`${JSON.stringify({ project: scope, graph: opened.location, ...found }, null, 2)}\n`);
    else
      process.stdout.write(
        `${visible(scope)} in ${visible(opened.location)}\n${findingsText(found, colorsFor(process.stdout, process.env))}`,
      );
    if (found.counts.blocker + found.counts.error > 0) process.exitCode = 1;
  } finally {
    await opened.close();
  }
}

function findingsText(found: RunCheck, colors: Colors): string {
  const paint = { blocker: colors.red, error: colors.red, warning: colors.yellow } as const;
  const lines = found.findings.map(({ rule, severity, message, hint }: Finding) => {
    const head = `${paint[severity](severity.padEnd(7))}  ${rule.padEnd(9)}`;
    return `${head}  ${visible(message)}\n${' '.repeat(20)}${colors.dim(visible(hint))}`;
  });
  const all = found.counts.blocker + found.counts.error + found.counts.warning;
  const more = all > found.findings.length ? [`… and ${all - found.findings.length} more`] : [];
  const reason = found.unjudged ? [`not judged: ${visible(found.unjudged.reason)}`] : [];
  return `${[...lines, ...more, ...reason, checkLine(found)].join('\n')}\n`;
}

/** The run's project, or the only one in the graph. */
async function scopeOf({ store, schema, scope, location }: OpenedTarget): Promise<string> {
  if (scope !== undefined) return scope;
  const scopes = new Set<string>();
  for (const { name } of schema.entities.filter(({ key }) => key.length === 1)) {
    for (const { key } of (await store.read({ entity: name, limit: 100 })).nodes) scopes.add(String(key[0]));
  }
  if (scopes.size === 1) return [...scopes][0]!;
  throw new MusterError(
    'USAGE',
    `expected a graph of one project, got ${scopes.size} in ${location}${scopes.size > 0 ? ` (${[...scopes].slice(0, 10).join(', ')})` : ''}. Name one with --project`,
  );
}
