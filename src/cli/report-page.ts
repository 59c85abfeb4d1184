/** A run's report for the terminal: head, table, then what did not complete and what was repaired. */
import type { Cause, Issue } from '../../schemas/run-event.ts';
import { duration, tally } from '../report/format.ts';
import type { Report } from '../report/report.ts';
import { type InstanceView, repairCount } from '../report/run-view.ts';
import { type Colors, drawSummary, visible } from './terminal.ts';

/** Issues of one repair that are printed; the report files hold them all. */
const ISSUES_SHOWN = 5;

export function drawReport(report: Report, colors: Colors): string {
  const paint = report.status === 'completed' ? colors.green : report.status === 'running' ? colors.cyan : colors.red;
  const lines = [
    `${colors.bold(`Run ${report.runId}`)}  ${paint(report.status)}`,
    `project ${visible(report.projectId)} · ${visible(report.manifest.name)} · schema ${visible(report.schema.name)} ${visible(report.schema.version)} · model ${visible(report.model)}`,
    `started ${report.startedAt}${report.durationMs === undefined ? ', not ended' : `, took ${duration(report.durationMs)}`}`,
    ...(report.cause ? [colors.red(`ended because: ${causeText(report.cause)}`)] : []),
    ...report.waves.map(({ wave, tasks }) => `wave ${wave}: ${tasks.join(', ')}`),
    drawSummary(report, colors),
    `Graph: ${tally(report.totals.entities) || 'nothing'}; ${report.totals.relationships} relationships.`,
    ...coverage(report),
    ...troubles(report, colors),
  ];
  return lines.join('\n');
}

/** How much of each document is cited; what is not, the report files name. */
function coverage({ coverage: documents = [] }: Report): string[] {
  const lines = documents.map(({ path, sections, cited, warnings }) => {
    const remark = warnings.length > 0 ? `  (${visible(warnings.join('; '))})` : '';
    return `  ${`${cited} of ${sections}`.padStart(12)}  ${visible(path)}${remark}`;
  });
  return lines.length > 0 ? ['Sections cited:', ...lines] : [];
}

function troubles(report: Report, colors: Colors): string[] {
  const lines: string[] = [];
  const bare = report.tasks.filter(({ instances }) => instances.length === 0);
  const all = report.tasks.flatMap(({ instances }) => instances);
  for (const { id, status, cause } of [...bare, ...all]) {
    if (status !== 'failed' && status !== 'skipped' && status !== 'cancelled') continue;
    const paint = status === 'failed' ? colors.red : colors.yellow;
    lines.push('', paint(`${visible(id)} ${status}: ${cause ? causeText(cause) : 'no cause recorded'}`));
    lines.push(...attempts(all.find((instance) => instance.id === id)));
  }
  for (const instance of all.filter((one) => one.status === 'completed' && repairCount(one) > 0)) {
    for (const { attempt, repairs } of instance.attempts) {
      for (const { repair, issues } of repairs) {
        lines.push(
          '',
          `${visible(instance.id)} was repaired (attempt ${attempt}, repair ${repair}):`,
          ...issueLines(issues),
        );
      }
    }
  }
  return lines;
}

function attempts(instance: InstanceView | undefined): string[] {
  return (instance?.attempts ?? []).flatMap(({ attempt, failure, repairs }) =>
    failure ? [`  attempt ${attempt}: ${causeText(failure)}`, ...issueLines(repairs.at(-1)?.issues ?? [])] : [],
  );
}

function issueLines(issues: readonly Issue[]): string[] {
  const shown = issues.slice(0, ISSUES_SHOWN).map(({ path, message }) => `    ${visible(path)}: ${visible(message)}`);
  return issues.length > ISSUES_SHOWN ? [...shown, `    … and ${issues.length - ISSUES_SHOWN} more`] : shown;
}

function causeText({ code, message }: Cause): string {
  return `${visible(message)} [${visible(code)}]`;
}
