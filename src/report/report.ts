/** The report of a run, as data and as Markdown: projections of the same view. */
import type { Cause, Issue, RunCheck } from '../../schemas/run-event.ts';
import type { Usage } from '../../schemas/session-event.ts';
import { checkLine } from '../rules/check.ts';
import { answerLines, holdLines, slowdownLines } from './answer-lines.ts';
import { coverageOf, type DocumentCoverage, type DocumentRecord } from './coverage.ts';
import { count, duration, money, tally } from './format.ts';
import { code, text } from './markdown.ts';
import { entityCount, type InstanceView, type RunView, repairCount, usageOf } from './run-view.ts';

export interface Report extends Omit<RunView, 'instances' | 'tasks' | 'cited'> {
  readonly format: 1;
  readonly usage: Usage;
  readonly totals: {
    readonly tasks: number;
    readonly instances: number;
    readonly completed: number;
    readonly failed: number;
    readonly skipped: number;
    readonly cancelled: number;
    readonly repairs: number;
    readonly attempts: number;
    /** Permission asks and questions that appeared in spite of the policy, answered by it at once. */
    readonly asks: number;
    readonly entities: Readonly<Record<string, number>>;
    readonly relationships: number;
    /** Most instances that ran at the same moment. */
    readonly parallel: number;
  };
  readonly waves: readonly { readonly wave: number; readonly tasks: readonly string[] }[];
  /** What of the documents passages of the graph stand in; absent for a run that kept no record of its documents. */
  readonly coverage?: readonly DocumentCoverage[];
  readonly tasks: readonly (RunView['tasks'][string] & { readonly instances: readonly InstanceView[] })[];
}

/** Everything a reader or a script wants to know of a run, in the order of the plan. */
export function reportOf(view: RunView, documents?: readonly DocumentRecord[]): Report {
  const { instances, tasks, cited, ...of } = view;
  const all = Object.values(instances);
  const entities: Record<string, number> = {};
  for (const instance of all) {
    for (const [name, n] of Object.entries(instance.entities)) entities[name] = (entities[name] ?? 0) + n;
  }
  const ended = (status: string) => all.filter((instance) => instance.status === status).length;
  const waves = [...new Set(Object.values(tasks).map(({ wave }) => wave))].sort((a, b) => a - b);
  return {
    format: 1,
    ...of,
    usage: usageOf(all),
    totals: {
      tasks: Object.keys(tasks).length,
      instances: all.length,
      completed: ended('completed'),
      failed: ended('failed'),
      skipped: ended('skipped'),
      cancelled: ended('cancelled'),
      repairs: all.reduce((sum, instance) => sum + repairCount(instance), 0),
      attempts: all.reduce((sum, instance) => sum + instance.attempts.length, 0),
      asks: all.reduce((sum, instance) => sum + instance.asksAnswered, 0),
      entities,
      relationships: all.reduce((sum, instance) => sum + instance.relationships, 0),
      parallel: mostParallel(all),
    },
    waves: waves.map((wave) => ({
      wave,
      tasks: Object.values(tasks)
        .filter((task) => task.wave === wave)
        .map(({ id }) => id),
    })),
    ...(documents && { coverage: coverageOf(documents, cited) }),
    tasks: Object.values(tasks).map((task) => ({ ...task, instances: all.filter(({ task: id }) => id === task.id) })),
  };
}

/** Counts overlaps of [start, end): an instance that ends in the same millisecond as another starts does not overlap it. */
function mostParallel(instances: readonly InstanceView[]): number {
  const edges = instances.flatMap(({ startedAt, endedAt }) =>
    startedAt ? [[Date.parse(startedAt), 1] as const, ...(endedAt ? [[Date.parse(endedAt), -1] as const] : [])] : [],
  );
  edges.sort(([a, x], [b, y]) => a - b || x - y);
  let now = 0;
  let most = 0;
  for (const [, step] of edges) {
    now += step;
    most = Math.max(most, now);
  }
  return most;
}

/** The report as Markdown. Text from agents and documents is escaped: it is data, never markup. */
export function reportMarkdown(report: Report): string {
  const { totals, usage } = report;
  const lines: string[] = [
    `# Run ${report.runId}: ${report.status}`,
    '',
    ...(report.rehearsal ? ['> **Rehearsal.** A script answered in place of a language model.', ''] : []),
    ...(report.cause ? [`**Why it ended:** ${text(report.cause.message)} (${code(report.cause.code)})`, ''] : []),
    '| | |',
    '|---|---|',
    `| Project | ${text(report.projectId)} |`,
    `| Manifest | ${text(report.manifest.name)} (${text(report.manifest.path)}) |`,
    `| Schema | ${text(report.schema.name)} ${text(report.schema.version)} |`,
    `| Model | ${text(report.model)} |`,
    `| Started | ${report.startedAt} |`,
    `| Took | ${duration(report.durationMs) || 'not ended'} |`,
    `| Server | ${report.server ? `OpenCode ${text(report.server.version)}, ${report.server.owned ? 'own' : 'attached'}` : 'none'}, ${report.servers} process(es), ${report.streamConnections} stream connection(s)${report.healings > 0 ? `; lost ${report.healings} time(s), and the run went on by itself` : ''} |`,
    ...(report.changedInputs.length > 0
      ? [
          `| Inputs changed on the way | ${text(report.changedInputs.join('; '))}; what had completed before is made from the old ones |`,
        ]
      : []),
    `| Instances | ${totals.instances} of ${totals.tasks} tasks: ${totals.completed} completed, ${totals.failed} failed, ${totals.skipped} skipped, ${totals.cancelled} cancelled; at most ${totals.parallel} at once |`,
    `| Attempts and repairs | ${totals.attempts} attempts, ${totals.repairs} repairs |`,
    `| Asks answered by policy | ${totals.asks} |`,
    ...slowdownLines(report),
    `| Graph | ${text(tally(totals.entities)) || 'nothing'}; ${totals.relationships} relationships |`,
    `| Model calls | ${count(usage.steps)}; ${count(usage.inputTokens)} input and ${count(usage.outputTokens)} output tokens; cost ${money(usage.cost)} |`,
    '',
    '## Waves',
    '',
    ...report.waves.map(({ wave, tasks }) => `${wave}. ${tasks.join(', ')}`),
    '',
    '## Tasks',
    '',
    '| Instance | Wave | State | Took | Entities | Rel. | Attempts | Repairs | Calls | Tokens | Cost |',
    '|---|--:|---|--:|---|--:|--:|--:|--:|--:|--:|',
  ];
  for (const instance of report.tasks.flatMap((task) => task.instances)) {
    const used = usageOf([instance]);
    lines.push(
      `| ${text(instance.id)} | ${instance.wave} | ${instance.status} | ${duration(instance.durationMs)} | ${text(tally(instance.entities)) || entityCount(instance)} | ${instance.relationships} | ${instance.attempts.length} | ${repairCount(instance)} | ${used.steps} | ${count(used.inputTokens + used.outputTokens + used.reasoningTokens)} | ${money(used.cost)} |`,
    );
  }
  for (const task of report.tasks.filter(({ instances }) => instances.length === 0)) {
    lines.push(`| ${text(task.id)} | ${task.wave} | ${task.status} | | | | | | | | |`);
  }
  lines.push(
    '',
    ...troubles(report),
    ...checked(report.check),
    ...answerLines(report.tasks.flatMap(({ instances }) => instances)),
    ...holdLines(report),
    '## Documents',
    '',
    '| Path | Bytes | SHA-256 |',
    '|---|--:|---|',
  );
  for (const { path, bytes, sha256 } of report.documents)
    lines.push(`| ${text(path)} | ${count(bytes)} | \`${sha256}\` |`);
  lines.push(...coverageLines(report.coverage ?? []));
  return `${lines.join('\n')}\n`;
}

/** Failures with their causes and every attempt behind them, then the repairs. */
function troubles(report: Report): string[] {
  const lines: string[] = [];
  const all = report.tasks.flatMap((task) => task.instances);
  const ended = [...report.tasks.filter(({ instances }) => instances.length === 0), ...all].filter(
    ({ status }) => status === 'failed' || status === 'skipped' || status === 'cancelled',
  );
  if (ended.length > 0) lines.push('## What did not complete', '');
  for (const of of ended) {
    lines.push(`### ${text(of.id)}: ${of.status}`, '', causeLine(of.cause), '');
    if (!('attempts' in of)) continue;
    for (const { attempt, failure, lastJudgement, repairs } of of.attempts) {
      if (!failure) continue;
      const judged = lastJudgement ? `; last turn: ${lastJudgement.kind}` : '';
      lines.push(`- attempt ${attempt}: ${causeLine(failure)}${judged}`);
      const open = repairs.at(-1)?.issues ?? [];
      lines.push(...issueLines(open, '  '));
    }
    lines.push('');
  }
  const repaired = all.filter((instance) => repairCount(instance) > 0);
  if (repaired.length > 0) lines.push('## Repairs', '');
  for (const { id, attempts } of repaired) {
    for (const { attempt, repairs } of attempts) {
      for (const { repair, issues } of repairs) {
        lines.push(`- ${text(id)}, attempt ${attempt}, repair ${repair}:`, ...issueLines(issues, '  '));
      }
    }
  }
  if (repaired.length > 0) lines.push('');
  return lines;
}

/** Sections of one document that are named one by one; the JSON report holds them all. */
const UNCITED_SHOWN = 40;

function coverageLines(coverage: readonly DocumentCoverage[]): string[] {
  if (coverage.length === 0) return [];
  const lines = ['', '## What nobody cited', '', '| Document | Cited | Sections | Remarks |', '|---|--:|--:|---|'];
  for (const { path, cited, sections, warnings } of coverage) {
    lines.push(`| ${text(path)} | ${cited} | ${sections} | ${text(warnings.join('; '))} |`);
  }
  for (const { path, uncited } of coverage) {
    if (uncited.length === 0) continue;
    lines.push('', `${text(path)}:`, '');
    lines.push(
      ...uncited.slice(0, UNCITED_SHOWN).map(({ locator, under }) => `- ${text([...under, locator].join(' > '))}`),
    );
    if (uncited.length > UNCITED_SHOWN) lines.push(`- and ${uncited.length - UNCITED_SHOWN} more`);
  }
  return lines;
}

/** What the rules found after the run, worst first. */
function checked(check: RunCheck | undefined): string[] {
  if (!check) return [];
  const { lateRelationships, findings, unjudged } = check;
  const lines = [
    '## Quality rules',
    '',
    `${text(checkLine(check))}; ${lateRelationships} relationships drawn late.`,
    '',
  ];
  if (unjudged) lines.push(`Not judged: ${text(unjudged.reason)}`, '');
  if (findings.length === 0) return lines;
  lines.push('| Rule | Severity | Finding | What to do |', '|---|---|---|---|');
  for (const { rule, severity, message, hint } of findings) {
    lines.push(`| ${text(rule)} | ${severity} | ${text(message)} | ${text(hint)} |`);
  }
  return [...lines, ''];
}

function causeLine(cause: Cause | undefined): string {
  return cause ? `${text(cause.message)} (${code(cause.code)})` : 'no cause recorded';
}

function issueLines(issues: readonly Issue[], indent: string): string[] {
  return issues.map(({ path, message }) => `${indent}- ${text(path)}: ${text(message)}`);
}
