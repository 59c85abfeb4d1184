/** What went wrong and what was done about it: of attempts, of providers, and of people's decisions. */
import type { KnownHold } from '../policy/holds.ts';
import { duration } from './format.ts';
import { code, fenced, text } from './markdown.ts';
import type { AnsweredFailure, InstanceView, RunView } from './run-view.ts';

/** Each failure with its class, its cause, the answer, and the adjustment of the prompt word for word. */
export function answerLines(instances: readonly InstanceView[]): string[] {
  const lines = instances.flatMap(({ id, attempts }) =>
    attempts.flatMap(({ attempt, answers }) =>
      answers.flatMap((answered) => answeredLines(`${text(id)}, attempt ${attempt}`, answered)),
    ),
  );
  return lines.length === 0 ? [] : ['## Failures and answers', '', ...lines, ''];
}

function answeredLines(where: string, { cause, answer, adjustment }: AnsweredFailure): string[] {
  const wait = answer.waitMs > 0 ? ` after ${duration(answer.waitMs)}` : '';
  const model = answer.model === undefined ? '' : ` ${code(answer.model)}`;
  return [
    `- ${where}: **${cause.class ?? 'bug'}**, ${text(cause.message)} (${code(cause.code)}) → **${answer.kind}**${model}${wait}: ${text(answer.reason)}`,
    ...(adjustment === undefined ? [] : ['', '  The next prompt said:', '', ...fenced(adjustment, '  '), '']),
  ];
}

/** Who decided what at which point, and what still waits. */
export function holdLines({ holds }: Pick<RunView, 'holds'>): string[] {
  const all = Object.values(holds);
  if (all.length === 0) return [];
  return [
    '## Hold points',
    '',
    '| Point | To look at | Opened | Decision |',
    '|---|---|---|---|',
    ...all.map((hold) => `| ${text(hold.point)} | ${text(hold.reason)} | ${hold.openedAt} | ${decisionText(hold)} |`),
    '',
  ];
}

function decisionText({ decision }: KnownHold): string {
  switch (decision?.kind) {
    case undefined:
      return 'waits';
    case 'released':
      return `released by ${text(decision.by)}${decision.reason === undefined ? '' : `: ${text(decision.reason)}`}`;
    case 'rejected':
      return `rejected by ${text(decision.by)}: ${text(decision.reason)}`;
    case 'expired':
      return `expired after ${duration(decision.timeoutMs)}: nobody decided, so it was denied`;
  }
}

/** Rows of the head table. */
export function slowdownLines({ slowdowns, paused }: Pick<RunView, 'slowdowns' | 'paused'>): string[] {
  const providers = Object.entries(slowdowns).map(([provider, times]) => `${text(provider)} ${times} times`);
  return [
    ...(providers.length === 0 ? [] : [`| Asked for fewer calls | ${providers.join(', ')} |`]),
    ...(paused ? [`| Paused | ${text(paused.message)} |`] : []),
  ];
}
