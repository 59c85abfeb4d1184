/** `muster logs`: the facts of one task, or every event of its sessions. */
import { createReadStream } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { RunEvent } from '../../schemas/run-event.ts';
import { MusterError } from '../errors.ts';
import { readJournal } from '../journal/reader.ts';
import { findRun, latestRun } from '../journal/run-folder.ts';
import { instanceDir } from '../workspace/instance-dir.ts';
import { visible } from './terminal.ts';

interface LogOptions {
  readonly home: string;
  readonly attempt?: number;
  readonly events?: boolean;
  readonly json?: boolean;
}

/** Prints the log of a task or instance of a run. @throws MusterError RUN_NOT_FOUND, USAGE when nothing has that name. */
export async function logs(id: string, task: string, options: LogOptions): Promise<void> {
  const { folder } = id === 'latest' ? await latestRun(options.home) : await findRun(options.home, id);
  const { events } = await readJournal(folder.journal);
  const instances = instancesNamed(events, task);
  if (instances.length === 0) {
    const known = [...new Set(events.flatMap((event) => ('instance' in event ? [event.instance] : [])))];
    throw new MusterError(
      'USAGE',
      `expected a task or instance of run ${folder.runId}, got "${task}". It has: ${known.join(', ') || 'none that started'}`,
    );
  }
  for (const instance of instances) {
    if (options.events) await printSessions(join(folder.logs, instanceDir(instance)), options);
    else printFacts(events, instance, options);
  }
}

function instancesNamed(events: readonly RunEvent[], name: string): string[] {
  const ids = events.flatMap((event) => ('instance' in event ? [event.instance] : []));
  return [...new Set(ids)].filter((id) => id === name || id.startsWith(`${name}[`));
}

function printFacts(events: readonly RunEvent[], instance: string, options: LogOptions): void {
  for (const event of events) {
    if (!('instance' in event) || event.instance !== instance) continue;
    if (options.attempt !== undefined && 'attempt' in event && event.attempt !== options.attempt) continue;
    process.stdout.write(options.json ? `${JSON.stringify(event)}\n` : `${drawFact(event)}\n`);
  }
}

function drawFact(event: RunEvent): string {
  const { seq: _seq, time, type, ...detail } = event as RunEvent & Record<string, unknown>;
  delete (detail as Record<string, unknown>)['instance'];
  const parts = Object.entries(detail).map(
    ([name, value]) => `${name}=${typeof value === 'object' ? JSON.stringify(value) : String(value)}`,
  );
  return visible(`${time}  ${type.padEnd(18)} ${parts.join(' ')}`);
}

/** Every event of the attempts' logs, one a line, without holding a file in memory. */
async function printSessions(dir: string, options: LogOptions): Promise<void> {
  const wanted =
    options.attempt === undefined
      ? /^attempt-\d+\.events\.jsonl$/
      : new RegExp(`^attempt-${options.attempt}\\.events\\.jsonl$`);
  const files = (await readdir(dir).catch(() => [])).filter((name) => wanted.test(name)).sort();
  for (const name of files) {
    for await (const line of createInterface({ input: createReadStream(join(dir, name)) })) {
      process.stdout.write(`${options.json ? line : visible(line)}\n`);
    }
  }
}
