/** Draws progress lines and the summary table. NO_COLOR and a pipe give plain text. */
import pc from 'picocolors';
import { count, duration, money } from '../report/format.ts';
import type { ProgressLine, Tone } from '../report/progress.ts';
import type { Report } from '../report/report.ts';
import { entityCount, repairCount, usageOf } from '../report/run-view.ts';
import { checkLine } from '../rules/check.ts';

export type Colors = ReturnType<typeof pc.createColors>;

/** Colour support of a stream: off for NO_COLOR and for anything that is not a terminal. */
export function colorsFor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): Colors {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0';
  return pc.createColors(!env['NO_COLOR'] && (forced || stream.isTTY === true));
}

const SIGN: Record<Tone, string> = { info: '·', start: '▸', good: '✓', warn: '!', bad: '✗', quiet: '·' };

/** `  0:07.3  ✓ wbs-extraction      completed   6.9 s  40 entities`. */
export function drawLine(line: ProgressLine, colors: Colors): string {
  const paint: Record<Tone, (text: string) => string> = {
    info: colors.cyan,
    start: colors.blue,
    good: colors.green,
    warn: colors.yellow,
    bad: colors.red,
    quiet: colors.dim,
  };
  const state = paint[line.tone](`${SIGN[line.tone]} ${visible(line.subject).padEnd(26)} ${line.state.padEnd(11)}`);
  return `${colors.dim(clock(line.elapsedMs))}  ${state} ${visible(line.detail)}`.trimEnd();
}

/** `m:ss.d`, right-aligned to eight places. */
function clock(ms: number): string {
  const seconds = ((ms % 60_000) / 1_000).toFixed(1).padStart(4, '0');
  return `${Math.floor(ms / 60_000)}:${seconds}`.padStart(8);
}

/** One row for each instance, totals below, and what to do next. */
export function drawSummary(report: Report, colors: Colors): string {
  const rows = report.tasks.flatMap((task) =>
    task.instances.length === 0
      ? [[task.id, String(task.wave), task.status, '', '', '', '', '', '']]
      : task.instances.map((instance) => {
          const used = usageOf([instance]);
          return [
            instance.id,
            String(instance.wave),
            instance.status,
            duration(instance.durationMs),
            count(entityCount(instance)),
            count(instance.relationships),
            String(repairCount(instance)),
            count(used.inputTokens + used.outputTokens + used.reasoningTokens),
            money(used.cost),
          ];
        }),
  );
  const head = ['instance', 'wave', 'state', 'took', 'entities', 'relations', 'repairs', 'tokens', 'cost'];
  const { totals, usage } = report;
  const total = [
    'total',
    '',
    report.status,
    duration(report.durationMs),
    count(Object.values(totals.entities).reduce((sum, n) => sum + n, 0)),
    count(totals.relationships),
    String(totals.repairs),
    count(usage.inputTokens + usage.outputTokens + usage.reasoningTokens),
    money(usage.cost),
  ];
  const all = [head, ...rows, total].map((row) => row.map(visible));
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]!.length)));
  const left = new Set([0, 2]);
  const draw = (row: string[]) =>
    row
      .map((cell, column) => (left.has(column) ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)))
      .join('  ')
      .trimEnd();
  const state = (row: string[]): ((text: string) => string) =>
    ({ completed: (text: string) => text, failed: colors.red, skipped: colors.yellow, cancelled: colors.yellow })[
      row[2]!
    ] ?? ((text) => text);
  const rule = colors.dim('─'.repeat(widths.reduce((sum, width) => sum + width + 2, -2)));
  return [
    '',
    colors.bold(draw(all[0]!)),
    rule,
    ...all.slice(1, -1).map((row) => state(row)(draw(row))),
    rule,
    colors.bold(draw(all.at(-1)!)),
    '',
    `At most ${totals.parallel} sessions at once on ${report.servers} OpenCode server process${report.servers === 1 ? '' : 'es'}${report.healings > 0 ? '; a server was lost, and the run went on by itself' : ''}.`,
    ...(report.changedInputs.length > 0
      ? [
          colors.yellow(
            `Inputs changed on the way: ${visible(report.changedInputs.join('; '))}; what had completed before is made from the old ones.`,
          ),
        ]
      : []),
    ...(report.check ? [`${checkLine(report.check)}.`] : []),
    ...(report.rehearsal ? ['This was a rehearsal: a script answered in place of a language model.'] : []),
  ].join('\n');
}

/** Names come from documents and agents: control characters could rewrite the terminal. */
export function visible(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not reach a terminal
  return text.replaceAll(/[\u0000-\u001f\u007f-\u009f]+/g, ' ');
}
