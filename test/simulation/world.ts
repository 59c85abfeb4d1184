/**
 * One world: muster's own `startRun` and `resumeRun` on simulated surroundings, driven to the end of the run through
 * whatever goes wrong, and held to the invariants at every line.
 *
 * Owns the order of processes: which one lives, how it dies, when the next one goes on. Does not own what goes wrong
 * (faults.ts) or what must hold (observer.ts).
 */
import { ensureError, MusterError } from '../../src/errors.ts';
import type { LoadedManifest } from '../../src/manifest/load.ts';
import { resumeHealedRun, startHealedRun } from '../../src/run/healed-run.ts';
import type { Run, RunEnd } from '../../src/run/run.ts';
import { FAULT_KINDS, type FaultCounts, Faults, type Injected } from './faults.ts';
import { settled } from './globals.ts';
import { JournalWatch } from './journal-watch.ts';
import { KeptWatch } from './kept-watch.ts';
import { Network } from './network.ts';
import { Observer, type Violation } from './observer.ts';
import { Person } from './person.ts';
import { ProcessLife } from './process-life.ts';
import { SeededRandom } from './random.ts';
import type { Work } from './simulated-agent.ts';
import { SimulatedAgents } from './simulated-agent.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedServer } from './simulated-server.ts';
import { idOf, SimulatedStore } from './simulated-store.ts';
import { enter, type StartedProcess, type Universe } from './universe.ts';
import { VirtualTime } from './virtual-time.ts';
import { WorkWatch } from './work-watch.ts';

/** Everything of a world that is decided before it begins. */
export interface Plan {
  readonly seed: number;
  readonly manifest: LoadedManifest;
  readonly project: string;
  readonly model: string;
  readonly models: readonly string[];
  /** Path below `/project` → text. */
  readonly documents: Readonly<Record<string, string>>;
  readonly work: (instance: string, turn: number) => Work;
  readonly hopeless: ReadonlySet<string>;
  /** Whether muster starts the server itself, or attaches to one that runs. */
  readonly ownServer: boolean;
  /** Without it nothing goes wrong. */
  readonly faulty: boolean;
  /** Ends the process once behind this line of the journal, with so many characters of the next one left. */
  readonly killAt?: { readonly line: number; readonly torn: number };
}

export interface WorldEnd {
  readonly violation: Violation | undefined;
  readonly outcome: string;
  readonly graph: string;
  /** Nodes that each instance committed. */
  readonly published: ReadonlyMap<string, readonly string[]>;
  /** How each instance ended. */
  readonly outcomes: ReadonlyMap<string, string>;
  readonly counts: FaultCounts;
  readonly injected: readonly Injected[];
  readonly journal: readonly string[];
  readonly processes: number;
  readonly virtualMs: number;
  readonly steps: number;
  readonly store: SimulatedStore;
  readonly prompts: number;
}

/** An April day; the journal's times follow it. */
const FIRST_MS = Date.UTC(2026, 3, 7, 8, 0, 0);
/** No run of these takes longer, whatever happens to it. */
const LONGEST_MS = 24 * 3_600_000;
/** Shorter than the stall clock of the worlds, longer than a stream that is silent takes to be noticed. */
const UNANSWERED_MS = 100_000;
const MOST_STEPS = 60_000;
/** After so many processes nothing goes wrong any more, so that every run ends. */
const CALM_AFTER = 14;
const MOST_PROCESSES = 30;
/** Failures of the surroundings with which a process may end, or not begin; the next one goes on. */
const SURROUNDINGS = new Set([
  'GRAPH_OPEN',
  'GRAPH_COMMIT',
  'GRAPH_UNREACHABLE',
  'DISK_FULL',
  'JOURNAL_WRITE',
  'OPENCODE_LOST',
  'OPENCODE_START',
  'OPENCODE_REQUEST',
  'STREAM_LOST',
  'FOLDER_NOT_WRITABLE',
]);

interface Process {
  run?: Run;
  end?: RunEnd;
  error?: Error;
}

export class World {
  readonly #plan: Plan;
  readonly #random: SeededRandom;
  readonly #time: VirtualTime;
  readonly #life = new ProcessLife();
  readonly #disk = new SimulatedDisk();
  readonly #faults: Faults;
  readonly #network: Network;
  readonly #server: SimulatedServer;
  readonly #store: SimulatedStore;
  readonly #observer: Observer;
  readonly #journal: JournalWatch;
  readonly #person: Person;
  readonly #work: WorkWatch;
  readonly #kept: KeptWatch;
  readonly #published = new Map<string, readonly string[]>();
  #exit: ((how: { code: number | null; signal: NodeJS.Signals | null }) => void) | undefined;
  #steps = 0;
  #begunMs = 0;
  #prompts = 0;

  constructor(plan: Plan) {
    this.#plan = plan;
    this.#random = new SeededRandom(plan.seed);
    this.#time = new VirtualTime(FIRST_MS);
    const random = (name: string) => this.#random.branch(name);
    this.#faults = new Faults(random('faults'), () => this.#time.nowMs - FIRST_MS, plan.hopeless.size > 0);
    if (!plan.faulty) this.#faults.calm();
    this.#network = new Network(this.#time, this.#life, random('network'), this.#faults);
    this.#observer = new Observer({
      disk: this.#disk,
      truthOf: (messageId) => this.#server.truthOf(messageId),
      unheardSessions: (instance) =>
        this.#faults.injected.filter(
          ({ kind, detail }) => kind === 'answer-lost' && detail === `POST /session of ${instance}`,
        ).length,
    });
    this.#kept = new KeptWatch({ disk: this.#disk, observer: this.#observer });
    this.#person = new Person({
      time: this.#time,
      random: random('person'),
      faults: this.#faults,
      disk: this.#disk,
    });
    this.#journal = new JournalWatch({
      disk: this.#disk,
      faults: this.#faults,
      kill: (byPowerLoss) => {
        if (byPowerLoss) this.#losePower();
        this.#die();
      },
      onBytes: (path) => {
        const before = this.#observer.lines.length;
        this.#observer.onJournal(path);
        for (const line of this.#observer.lines.slice(before)) {
          this.#person.hear(line, path);
          this.#work.hear(line);
          this.#kept.hear(line);
        }
      },
      onDurable: (path) => this.#observer.onDurable(path),
      lines: () => this.#observer.lines.length,
    });
    this.#disk.watch = this.#journal;
    this.#server = new SimulatedServer({
      time: this.#time,
      random: random('server'),
      faults: this.#faults,
      models: plan.models,
      agents: new SimulatedAgents({
        time: this.#time,
        disk: this.#disk,
        network: this.#network,
        faults: this.#faults,
        random: random('agents'),
        work: plan.work,
        hopeless: plan.hopeless,
        onAnswered: (session, call, text) => this.#kept.onAnswered(session, call, text),
      }),
      watch: {
        onSession: (session) => {
          this.#work.onSession(session);
          this.#observer.onSession(session);
        },
        onPrompt: (prompt) => {
          this.#prompts += 1;
          this.#observer.onPrompt(prompt);
        },
      },
    });
    this.#network.host = this.#server;
    this.#work = new WorkWatch({
      faults: this.#faults,
      observer: this.#observer,
      sessions: () => this.#server.sessions.values(),
      nowMs: () => this.#time.nowMs,
    });
    this.#store = new SimulatedStore({
      time: this.#time,
      random: random('store'),
      life: this.#life,
      faults: this.#faults,
      onCommit: (batch) => this.#observer.onCommit(batch),
      onCommitted: (batch, instance) => {
        this.#observer.onCommitted(batch, instance);
        this.#published.set(instance, batch.nodes.map(idOf));
      },
      kill: () => this.#die(),
    });
    this.#prepareDisk();
  }

  /** Runs to the end of everything. */
  async run(): Promise<WorldEnd> {
    const { time, life, disk, network } = this.#parts();
    const universe: Universe = {
      time,
      life,
      disk,
      network,
      random: this.#random.branch('muster'),
      manifest: this.#plan.manifest,
      openGraph: () => this.#store.open(),
      startServerProcess: () => this.#startServerProcess(),
    };
    enter(universe);
    try {
      if (!this.#plan.ownServer) this.#server.start();
      const outcome = await this.#runToTheEnd();
      await settled();
      return this.#ended(outcome);
    } finally {
      life.end();
      enter(undefined);
    }
  }

  #parts() {
    return { time: this.#time, life: this.#life, disk: this.#disk, network: this.#network };
  }

  async #runToTheEnd(): Promise<string> {
    for (let number = 1; ; number += 1) {
      if (number > CALM_AFTER) this.#faults.calm();
      if (number > MOST_PROCESSES) return this.#broken('end', `${MOST_PROCESSES} processes did not end the run`);
      const { end, error } = await this.#runProcess();
      if (this.#observer.violation) return 'violated';
      if (end && !end.error) this.#work.processEnded();
      if (end?.outcome === 'completed' && !end.error) return 'completed';
      if (error instanceof MusterError && error.code === 'RUN_ENDED') return this.#observer.ended ?? 'failed';
      if (error && !this.#isSurroundings(error)) {
        return this.#broken('process', `process ${number} ended with ${codeOf(error)}: ${error.message}`);
      }
      // Sometimes at once, so that what the last process left is still at work.
      const isSoon = this.#random.chance(0.3);
      await this.#until(() => false, this.#random.between(10, isSoon ? 2_000 : 130_000));
      if (!this.#plan.ownServer && !this.#server.isUp) this.#server.start();
    }
  }

  #isSurroundings(error: Error): boolean {
    return error instanceof MusterError && SURROUNDINGS.has(error.code);
  }

  #broken(invariant: string, message: string): string {
    this.#observer.fail(invariant, message);
    return 'violated';
  }

  /** One process of muster, from its start to its end or its death. */
  async #runProcess(): Promise<Process> {
    const process: Process = {};
    const number = this.#life.begin();
    this.#begunMs = this.#time.nowMs;
    const goesOn = this.#journal.hasRun();
    if (goesOn) this.#observer.onReopened(this.#observer.journal);
    const fate = this.#fate(process, number);
    const begun = goesOn ? resumeHealedRun(this.#resumeOptions()) : startHealedRun(this.#startOptions());
    begun.then(
      (run) => {
        process.run = run;
        run.ended.then(
          (end) => {
            process.end = end;
          },
          (thrown: unknown) => {
            process.error = ensureError(thrown);
          },
        );
      },
      (thrown: unknown) => {
        process.error = ensureError(thrown);
      },
    );
    const how = await this.#until(
      () => process.end !== undefined || process.error !== undefined || !this.#life.is(number),
    );
    if (how === 'stuck') this.#observer.fail('hang', 'nothing is left that could happen, and the run has not ended');
    if (how === 'late') this.#observer.fail('hang', 'the run did not end in time');
    for (const cancel of fate) cancel();
    this.#die();
    await settled();
    await settled();
    return process;
  }

  /** What is to befall this process, drawn before it begins. */
  #fate(process: Process, number: number): readonly (() => void)[] {
    const random = this.#random.branch(`fate ${number}`);
    const faults = this.#faults;
    const befalls: (() => void)[] = [];
    const at = (lowMs: number, highMs: number, run: () => void) => {
      befalls.push(
        this.#time.after(random.between(lowMs, highMs), () => {
          if (this.#life.is(number)) run();
        }),
      );
    };
    const { killAt } = this.#plan;
    if (killAt && number === 1) this.#journal.killBehind(killAt.line, killAt.torn);
    if (faults.left('orchestrator-kill') > 0 && random.chance(0.6)) {
      at(1, 60_000, () => {
        faults.strike('orchestrator-kill', `process ${number}`);
        if (faults.strikes('power-loss', 'with the death of the process')) this.#losePower();
        this.#die();
      });
    }
    if (faults.left('kill-at-line') > 0 && random.chance(0.7)) {
      this.#journal.killBehind(
        this.#observer.lines.length + random.between(1, 60),
        faults.strikes('torn-line', 'line') ? random.between(1, 200) : 0,
      );
    }
    if (faults.left('interrupt-drain') > 0 && random.chance(0.5)) {
      at(500, 40_000, () => {
        if (!process.run) return;
        faults.strike('interrupt-drain', `process ${number}`);
        process.run.interrupt('simulated');
      });
    }
    if (faults.left('interrupt-abort') > 0 && random.chance(0.5)) {
      // Sometimes while what an earlier process left is being looked at.
      at(1, random.chance(0.4) ? 600 : 40_000, () => {
        if (!process.run) return;
        faults.strike('interrupt-abort', `process ${number}`);
        process.run.interrupt('simulated');
        process.run.interrupt('simulated');
      });
    }
    if (faults.left('server-crash') > 0 && random.chance(0.7)) {
      at(500, 60_000, () => {
        if (!this.#server.isUp) return;
        faults.strike('server-crash', `process ${number}`);
        for (const { instance, turn } of this.#server.sessions.values()) if (turn) faults.cost(instance);
        this.#crashServer();
        // One that is not ours may come back while muster is there.
        if (!this.#plan.ownServer && random.chance(0.5)) {
          this.#time.after(random.between(100, 60_000), () => {
            if (!this.#server.isUp) this.#server.start();
          });
        }
      });
    }
    if (faults.left('instance-poisoned') > 0 && random.chance(0.7)) {
      at(500, 60_000, () => {
        if (!this.#server.isUp) return;
        faults.strike('instance-poisoned', `process ${number}`);
        for (const { instance, turn } of this.#server.sessions.values()) if (turn) faults.cost(instance);
        this.#server.poison();
      });
    }
    return befalls;
  }

  #crashServer(): void {
    this.#server.crash();
    this.#network.serverDied();
    this.#exit?.({ code: null, signal: 'SIGKILL' });
    this.#exit = undefined;
    if (this.#faults.strikes('server-forgets', 'after a crash', '')) this.#server.forget();
  }

  /** Everything on the machine ends, the server too. */
  #losePower(): void {
    this.#disk.losePower((lost) => this.#random.between(0, lost));
    this.#server.crash();
  }

  /** The process is gone, and with it its timers, its sockets, and a server of its own. */
  #die(): void {
    if (!this.#life.isAlive) return;
    const { number } = this.#life;
    this.#life.end();
    this.#time.dropAllOf(number);
    this.#network.musterDied();
    this.#journal.processEnded();
    if (this.#plan.ownServer) {
      this.#exit = undefined;
      this.#server.crash();
    }
  }

  async #startServerProcess(): Promise<StartedProcess> {
    await this.#time.wait(this.#random.between(50, 500));
    const exited = new Promise<{ code: number | null; signal: NodeJS.Signals | null }>((resolve) => {
      this.#exit = resolve;
    });
    this.#server.start();
    return {
      pid: 4242,
      url: 'http://127.0.0.1:4096',
      exited,
      stop: () =>
        this.#life.answer(() => {
          this.#server.crash();
          this.#network.serverDied();
          this.#exit?.({ code: 0, signal: null });
          this.#exit = undefined;
        }),
    };
  }

  /** Lets the world go on until `isMet`, or for `forMs`. */
  async #until(isMet: () => boolean, forMs?: number): Promise<'met' | 'stuck' | 'late'> {
    let isOver = false;
    if (forMs !== undefined) {
      this.#time.after(forMs, () => {
        isOver = true;
      });
    }
    for (;;) {
      await settled();
      this.#judgeAsks();
      if (this.#life.isAlive) {
        this.#observer.onQuiet(this.#time.nowMs);
        this.#work.judge();
      }
      if (isMet() || isOver || this.#observer.violation) return 'met';
      this.#steps += 1;
      if (this.#steps > MOST_STEPS || this.#time.nowMs - FIRST_MS > LONGEST_MS) return 'late';
      if (!this.#time.step()) return 'stuck';
    }
  }

  /** Whoever asks is answered at once: by the process that heard it, unless the answer itself got lost. */
  #judgeAsks(): void {
    for (const { kind, sessionID, askedMs, wasHeard } of this.#server.asks) {
      const isOld = this.#time.nowMs - askedMs > UNANSWERED_MS && askedMs > this.#begunMs;
      if (!isOld || !wasHeard || !this.#life.isAlive) continue;
      if (this.#faults.injected.some(({ detail }) => /\/(reply|reject|abort) /.test(detail))) continue;
      this.#observer.fail('asks', `a ${kind} of ${sessionID} is not answered for ${UNANSWERED_MS} ms`);
    }
  }

  #prepareDisk(): void {
    const disk = this.#disk;
    for (const folder of ['/project/documents', '/home', '/tmp']) disk.makeFolder(folder, true);
    const files = { 'manifest.json': '{}', ...this.#plan.documents };
    for (const [name, text] of Object.entries(files)) disk.place(`/project/${name}`, text);
  }

  #startOptions() {
    const { project, model, ownServer } = this.#plan;
    return {
      musterVersion: '0.0.0',
      manifest: '/project/manifest.json',
      documents: '/project/documents',
      home: '/home',
      project,
      model,
      env: {},
      server: ownServer ? ({ kind: 'own' } as const) : ({ kind: 'attached', url: 'http://127.0.0.1:4096' } as const),
    };
  }

  #resumeOptions() {
    return { musterVersion: '0.0.0', home: '/home' };
  }

  #ended(outcome: string): WorldEnd {
    const { observer, faults, store } = { observer: this.#observer, faults: this.#faults, store: this.#store };
    if (!observer.violation) observer.judgeEnd();
    return {
      violation: observer.violation,
      outcome,
      graph: store.text(),
      published: this.#published,
      outcomes: new Map(observer.instances.map((id) => [id, observer.outcomeOf(id) ?? 'open'])),
      counts: Object.fromEntries(FAULT_KINDS.map((kind) => [kind, faults.counts[kind]])) as FaultCounts,
      injected: faults.injected,
      journal: observer.lines.map((line) => JSON.stringify(line)),
      processes: this.#life.number,
      virtualMs: this.#time.nowMs - FIRST_MS,
      steps: this.#steps,
      store,
      prompts: this.#prompts,
    };
  }
}

function codeOf(error: Error): string {
  return error instanceof MusterError ? error.code : error.name;
}
