/** `muster why`: whether a task would run again, and because of what. */
import { explanationLines } from '../fingerprint/explain.ts';
import { explainWhy, type InstanceWhy } from '../run/why.ts';
import { packageVersion } from './package-root.ts';
import { visible } from './terminal.ts';

interface WhyCommand {
  readonly home: string;
  readonly manifest?: string;
  readonly documents?: string;
  readonly script?: string;
  readonly json?: boolean;
}

export async function why(run: string, task: string, options: WhyCommand): Promise<void> {
  const { home, manifest, documents, script, json } = options;
  const found = await explainWhy({
    musterVersion: packageVersion(),
    home,
    run,
    task,
    ...(manifest !== undefined && { manifest }),
    ...(documents !== undefined && { documents }),
    ...(script !== undefined && { rehearsal: script }),
  });
  const text = json ? JSON.stringify(found, null, 2) : found.instances.flatMap(drawn).map(visible).join('\n');
  process.stdout.write(`${text}\n`);
}

function drawn({ instance, completed, decided, recorded, changes, upstream }: InstanceWhy): string[] {
  const past =
    decided === undefined
      ? []
      : decided.decision === 'take-over'
        ? [`  In that run it was taken over from ${decided.against}.`]
        : [
            `  In that run it ran again, against ${decided.against}: ${decided.causes.join('; ')}.`,
            ...decided.changes.flatMap((change) => explanationLines(change).map((line) => `    ${line}`)),
          ];
  const own = changes.flatMap((change) => explanationLines(change).map((line) => `  ${line}`));
  const others = upstream.map(
    ({ task, parts }) =>
      `  ${task} would run again (${parts.join(', ')} changed); it runs again if what it reads of that comes out otherwise`,
  );
  const verdict = !completed
    ? 'would run: it did not complete'
    : !recorded
      ? 'would run: what it was made from is not on record'
      : changes.length > 0
        ? 'would run again:'
        : upstream.length > 0
          ? 'is made from the same inputs of its own:'
          : 'would be taken over: nothing that it is made from changed';
  return [`${instance} ${verdict}`, ...own, ...others, ...past];
}
