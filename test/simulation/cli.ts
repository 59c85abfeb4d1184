/** The command: many seeds in two processes, how often each fault really occurred, and the replay of a seed that failed. */
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { FAULT_KINDS, type FaultCounts } from './faults.ts';
import { findBugs } from './find-bugs.ts';
import { machineMs, replaceGlobals } from './globals.ts';
import { killBehind, rehearse } from './rehearsal-world.ts';
import { replayOf, traceOf } from './replay.ts';
import { runSeed } from './seed.ts';

/** What one process found in its share of the seeds. */
interface Share {
  readonly seeds: number;
  readonly counts: FaultCounts;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly processes: number;
  readonly virtualMs: number;
  readonly slowestMs: number;
  /** Time of the processor, which others on the machine do not lengthen. */
  readonly cpuMs: number;
  readonly slowestSeed: number;
  readonly failures: readonly { readonly seed: number; readonly replay: string }[];
}

/** Failing seeds after which a process gives up: the first one tells. */
const MOST_FAILURES = 3;

export async function main(given: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...given],
    options: {
      /** Default 300; 1,000 for each of the seeded bugs. */
      seeds: { type: 'string' },
      seed: { type: 'string', default: '1' },
      workers: { type: 'string', default: '2' },
      /** Prints everything that a seed did. */
      trace: { type: 'boolean', default: false },
      /** Stops at the first seed that fails, in the order of the seeds. */
      first: { type: 'boolean', default: false },
      /** Kills the rehearsal of the road upgrade behind every line of its journal, in place of seeds. */
      rehearsal: { type: 'boolean', default: false },
      /** Seeds each bug of seeded-bugs.ts, in place of none. */
      bugs: { type: 'boolean', default: false },
      /** Of the rehearsal: only every so manieth line. */
      every: { type: 'string', default: '1' },
      /** Each kind of fault must have occurred so often. */
      least: { type: 'string', default: '0' },
      /** Of a worker: this share of the seeds. */
      share: { type: 'string' },
    },
  });
  const first = whole('seed', values.seed);
  const seeds = values.trace ? 1 : whole('seeds', values.seeds ?? (values.bugs ? '1000' : '300'));
  if (values.bugs) {
    if ((await findBugs(first, seeds)) > 0) process.exitCode = 1;
    return;
  }
  replaceGlobals();
  if (values.trace) {
    process.stdout.write(traceOf(await runSeed(first)));
    return;
  }
  if (values.rehearsal) return killEverywhere(whole('every', values.every), values.share);
  const workers = values.first ? 1 : Math.min(seeds, Math.max(1, whole('workers', values.workers)));
  if (values.share !== undefined) {
    process.send?.(await runShare(first, seeds, whole('share', values.share), workers));
    process.disconnect?.();
    return;
  }
  const startMs = machineMs();
  const shares =
    workers === 1
      ? [await runShare(first, seeds, 0, 1, values.first ? 1 : MOST_FAILURES)]
      : await Promise.all(
          Array.from({ length: workers }, (_, share) =>
            forked<Share>(['--seed', first, '--seeds', seeds, '--share', share, '--workers', workers]),
          ),
        );
  print(shares, (machineMs() - startMs) / 1000);
  requireFaults(shares, whole('least', values.least));
  if (shares.some(({ failures }) => failures.length > 0)) process.exitCode = 1;
}

/** A simulation in which a fault hardly ever happens says nothing about it. */
function requireFaults(shares: readonly Share[], least: number): void {
  for (const kind of FAULT_KINDS) {
    const occurred = shares.reduce((sum, { counts }) => sum + counts[kind], 0);
    if (occurred >= least) continue;
    console.log(`expected each fault at least ${least} times, got ${kind} ${occurred} times`);
    process.exitCode = 1;
  }
}

/** In two processes: the odd lines and the even ones. */
async function killEverywhere(every: number, share: string | undefined): Promise<void> {
  if (share === undefined) {
    const startMs = machineMs();
    const found = await Promise.all(
      [0, 1].map((of) => forked<KillShare>(['--rehearsal', '--every', every, '--share', of])),
    );
    const { lines } = found[0]!;
    const kills = found.reduce((sum, one) => sum + one.kills, 0);
    const failures = found.flatMap((one) => one.failures);
    const seconds = (machineMs() - startMs) / 1000;
    console.log(
      [
        `the rehearsal has ${lines} lines; killed behind ${kills} of them, resumed each time, in ${seconds.toFixed(1)} s`,
        `other graph, instance run twice, or anything else that must not be: ${failures.length}`,
        ...failures,
      ].join('\n'),
    );
    if (failures.length > 0 || kills === 0) process.exitCode = 1;
    return;
  }
  const rehearsed = await rehearse();
  const lines = rehearsed.calm.journal.length;
  const failures: string[] = rehearsed.calm.violation
    ? [`undisturbed: ${JSON.stringify(rehearsed.calm.violation)}`]
    : [];
  let kills = 0;
  for (let line = 1 + Number(share) * every; line < lines && failures.length < MOST_FAILURES; line += 2 * every) {
    // Each third death tears the next line; the server of the resumed run is the old one, or a new one.
    const torn = line % 3 === 0 ? 40 : 0;
    const { violation, journal } = await killBehind(rehearsed, line, torn, line % 4 < 2);
    kills += 1;
    if (violation)
      failures.push(`line ${line}: ${violation.invariant}: ${violation.message}\n  ${journal.slice(-5).join('\n  ')}`);
  }
  process.send?.({ lines, kills, failures } satisfies KillShare);
  process.disconnect?.();
}

interface KillShare {
  readonly lines: number;
  readonly kills: number;
  readonly failures: readonly string[];
}

function whole(name: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value >= 0) return value;
  throw new Error(`expected a whole number for --${name}, got "${text}"`);
}

/** Runs this script in a process of its own; resolves with what it sends. */
function forked<Found>(options: readonly (string | number)[]): Promise<Found> {
  const script = fileURLToPath(new URL('./simulate-script.js', import.meta.url));
  const execArgv = [...process.execArgv, '--enable-source-maps', '--max-semi-space-size=32'];
  const child = fork(script, options.map(String), { execArgv });
  return new Promise((resolve, reject) => {
    let found: Found | undefined;
    child.on('message', (message) => {
      found = message as Found;
    });
    child.on('exit', (code) => {
      if (found) resolve(found);
      else reject(new Error(`a process of the simulation ended with code ${code} and found nothing`));
    });
  });
}

async function runShare(
  first: number,
  seeds: number,
  share: number,
  workers: number,
  mostFailures = MOST_FAILURES,
): Promise<Share> {
  const counts = Object.fromEntries(FAULT_KINDS.map((kind) => [kind, 0])) as FaultCounts;
  const outcomes: Record<string, number> = {};
  const failures: { seed: number; replay: string }[] = [];
  let [ran, processes, virtualMs, slowestMs, slowestSeed] = [0, 0, 0, 0, first];
  for (let seed = first + share; seed < first + seeds; seed += workers) {
    const startMs = machineMs();
    const end = await runSeed(seed);
    const tookMs = machineMs() - startMs;
    ran += 1;
    processes += end.processes;
    virtualMs += end.virtualMs;
    outcomes[end.outcome] = (outcomes[end.outcome] ?? 0) + 1;
    for (const kind of FAULT_KINDS) counts[kind] += end.counts[kind];
    if (tookMs > slowestMs && ran > 1) [slowestMs, slowestSeed] = [tookMs, seed];
    if (end.violation) failures.push({ seed, replay: replayOf(end) });
    if (failures.length >= mostFailures) break;
  }
  const cpuMs = process.cpuUsage().user / 1000;
  return { seeds: ran, counts, outcomes, processes, virtualMs, slowestMs, slowestSeed, cpuMs, failures };
}

function print(shares: readonly Share[], seconds: number): void {
  const sum = (of: (share: Share) => number) => shares.reduce((total, share) => total + of(share), 0);
  const lines: string[] = ['fault                  occurred'];
  for (const kind of FAULT_KINDS)
    lines.push(`${kind.padEnd(20)} ${String(sum(({ counts }) => counts[kind])).padStart(10)}`);
  const seeds = sum((share) => share.seeds);
  const outcomes = new Map<string, number>();
  for (const share of shares) {
    for (const [name, number] of Object.entries(share.outcomes)) outcomes.set(name, (outcomes.get(name) ?? 0) + number);
  }
  const slowest = shares.reduce((worst, share) => (share.slowestMs > worst.slowestMs ? share : worst));
  const failures = shares.flatMap((share) => share.failures).sort((a, b) => a.seed - b.seed);
  lines.push(
    '',
    `${seeds} seeds in ${seconds.toFixed(1)} s, ${(seeds / seconds).toFixed(1)} seeds/s, ${(sum((share) => share.cpuMs) / seeds).toFixed(0)} ms of processor each; ${sum((share) => share.processes)} processes of muster, ${(sum((share) => share.virtualMs) / 3_600_000).toFixed(0)} hours of simulated time`,
    `runs ended: ${[...outcomes].map(([name, number]) => `${name} ${number}`).join(', ')}`,
    `slowest: seed ${slowest.slowestSeed}, ${slowest.slowestMs.toFixed(0)} ms`,
    `violations: ${failures.length}`,
  );
  console.log(lines.join('\n'));
  for (const { replay } of failures) console.log(`\n${replay}`);
}
