/**
 * Watches a world and holds it to the invariants of ARCHITECTURE.md.
 *
 * Knows muster by what it leaves outside only: the bytes of its journal and its files, the requests that reach the server,
 * the batches that reach the store. Reads them with code of its own. The first violation is kept and ends the world.
 */
import type { GraphBatch } from '../../src/ports.ts';
import type { PromptTruth, ServerSession } from './server-session.ts';
import type { SimulatedDisk } from './simulated-disk.ts';

/** One line of the journal, as anybody reads it. */
export interface Line {
  readonly seq: number;
  readonly type: string;
  readonly [name: string]: unknown;
}

export interface Violation {
  readonly invariant: string;
  readonly message: string;
}

interface SeenAttempt {
  started: boolean;
  failed: boolean;
  commitStarted: boolean;
  /** Turn → id of its prompt. */
  readonly turns: Map<number, string>;
  readonly endedTurns: Set<number>;
}

interface Seen {
  started: boolean;
  committed: boolean;
  settled: string | undefined;
  /** It waits for a person, or did: it has given its place away. */
  wasHeld: boolean;
  inTurn: boolean;
  attempts: Map<number, SeenAttempt>;
  /** What it committed, as text. */
  content: string | undefined;
  /** Attempts with a session, each with the number of unheard sessions when it was made. */
  sessions: Map<number, number>;
}

export interface ObserverPorts {
  readonly disk: SimulatedDisk;
  readonly truthOf: (messageId: string) => PromptTruth | undefined;
  /** How many sessions were made for it of which muster cannot know, as the answer was lost. */
  readonly unheardSessions: (instance: string) => number;
}

interface PlannedTask {
  readonly id: string;
  readonly wave: number;
  readonly waitsFor: readonly { readonly task: string }[];
  readonly fanOutOver?: string;
}

/** An abort and its grace. */
const BREAKING_OFF_MS = 30_000;

/** As docs/server-trouble.md says. */
const LOSSES_MAX = 5;
/** Reading back takes a request for each session, and each of them ends within its time limit of 60 s. */
const GAP_MS = 70_000;

export class Observer {
  violation: Violation | undefined;
  /** Of the present run. */
  lines: Line[] = [];
  journal = '';
  readonly #ports: ObserverPorts;
  readonly #seen = new Map<string, Seen>();
  readonly #taskOf = new Map<string, string>();
  readonly #tasksEnded = new Map<string, string>();
  readonly #expanded = new Map<string, readonly string[]>();
  #tasks: readonly PlannedTask[] = [];
  #concurrency = 0;
  #gating = 'ready';
  #bytes = 0;
  /** Lines that a failing power would leave. */
  #durable = 0;
  #ended: string | undefined;
  #tooManySinceMs: number | undefined;
  /** Losses of the server that the run went on after, since the last commit. */
  #losses = 0;
  /** Since the stream was connected again without having been read back. */
  #gapSinceMs: number | undefined;
  /** Of the present beginning of the run: that there was a server, and that somebody wanted an end. */
  readonly #said = new Set<string>();

  constructor(ports: ObserverPorts) {
    this.#ports = ports;
  }

  get ended(): string | undefined {
    return this.#ended;
  }

  fail(invariant: string, message: string): void {
    this.violation ??= { invariant, message };
  }

  outcomeOf(instance: string): string | undefined {
    return this.#seen.get(instance)?.settled;
  }

  get instances(): readonly string[] {
    return [...this.#seen.keys()];
  }

  failedAttempts(instance: string): number {
    return [...(this.#seen.get(instance)?.attempts.values() ?? [])].filter(({ failed }) => failed).length;
  }

  committed(instance: string): boolean {
    return this.#seen.get(instance)?.committed === true;
  }

  /** Bytes came to the journal. */
  onJournal(path: string): void {
    if (path !== this.journal) this.#begin(path);
    const bytes = this.#ports.disk.read(path);
    for (let end = bytes.indexOf(10, this.#bytes); end !== -1; end = bytes.indexOf(10, this.#bytes)) {
      const text = bytes.subarray(this.#bytes, end).toString();
      this.#bytes = end + 1;
      this.#take(text);
    }
  }

  /** The journal was cut: a torn line, or what a failing power took. */
  onReopened(path: string): void {
    if (path !== this.journal) return;
    this.#tooManySinceMs = undefined;
    const bytes = this.#ports.disk.read(path);
    // What the next process finds is what it builds on.
    if (bytes.lastIndexOf(10) + 1 < this.#bytes) this.#replay(path);
    this.#durable = this.lines.length;
  }

  onDurable(path: string): void {
    if (path === this.journal) this.#durable = this.lines.length;
  }

  /** After a death: what stands in the file is what happened. */
  #replay(path: string): void {
    const contents = new Map([...this.#seen].map(([id, { content, sessions }]) => [id, { content, sessions }]));
    this.#begin(path);
    for (const [id, kept] of contents) Object.assign(this.#of(id), kept);
    this.onJournal(path);
  }

  #begin(path: string): void {
    this.journal = path;
    this.lines = [];
    this.#bytes = 0;
    this.#durable = 0;
    this.#ended = undefined;
    this.#losses = 0;
    this.#gapSinceMs = undefined;
    this.#said.clear();
    this.#seen.clear();
    this.#taskOf.clear();
    this.#tasksEnded.clear();
    this.#expanded.clear();
  }

  #of(instance: string): Seen {
    const known = this.#seen.get(instance);
    if (known) return known;
    const seen: Seen = {
      started: false,
      committed: false,
      settled: undefined,
      wasHeld: false,
      inTurn: false,
      attempts: new Map(),
      content: undefined,
      sessions: new Map(),
    };
    this.#seen.set(instance, seen);
    return seen;
  }

  #attempt(instance: string, attempt: number): SeenAttempt {
    const { attempts } = this.#of(instance);
    const known = attempts.get(attempt);
    if (known) return known;
    const fresh: SeenAttempt = {
      started: false,
      failed: false,
      commitStarted: false,
      turns: new Map(),
      endedTurns: new Set(),
    };
    attempts.set(attempt, fresh);
    return fresh;
  }

  #take(text: string): void {
    let line: Line;
    try {
      line = JSON.parse(text) as Line;
    } catch {
      this.fail('journal', `line ${this.lines.length + 1} is no JSON: ${text.slice(0, 80)}`);
      return;
    }
    if (line.seq !== this.lines.length + 1) this.fail('journal', `line ${this.lines.length + 1} has seq ${line.seq}`);
    const before = this.lines.at(-1)?.type;
    this.lines.push(line);
    if (before === 'run.healing' && line.type !== 'run.resumed') {
      this.fail('healing', `line ${line.seq} (${line.type}) follows a loss, and the run was not taken up again`);
    }
    if (this.#ended && line.type !== 'run.resumed') {
      this.fail('journal', `line ${line.seq} (${line.type}) stands behind the end of the run`);
    }
    this.#judge(line);
  }

  #judge(line: Line): void {
    const isSameProcess = line.type !== 'run.resumed';
    if (
      isSameProcess &&
      this.#gapSinceMs !== undefined &&
      Date.parse(String(line['time'])) - this.#gapSinceMs > GAP_MS
    ) {
      this.fail('S1', 'the stream was connected again, and what was missed is not read back');
    }
    const instance = String(line['instance']);
    const attempt = Number(line['attempt']);
    switch (line.type) {
      case 'run.started': {
        this.#tasks = line['tasks'] as readonly PlannedTask[];
        this.#concurrency = Number(line['concurrency']);
        this.#gating = String(line['gating']);
        for (const { id, fanOutOver } of this.#tasks) if (fanOutOver === undefined) this.#know(id, id);
        return;
      }
      case 'run.resumed': {
        this.#ended = undefined;
        this.#said.clear();
        this.#gapSinceMs = undefined;
        const { instances, tasks } = line['reopened'] as { instances: string[]; tasks: string[] };
        for (const id of instances) {
          if (this.#of(id).committed) this.fail('T1', `${id} had completed and is open again`);
          this.#of(id).settled = undefined;
        }
        for (const id of tasks) this.#tasksEnded.delete(id);
        for (const seen of this.#seen.values()) {
          seen.started = false;
          seen.inTurn = false;
        }
        return;
      }
      case 'task.expanded':
        this.#expand(String(line['task']), line['instances'] as { id: string; task: string; itemKey?: string }[]);
        return;
      case 'instance.started':
        this.#start(instance);
        return;
      case 'attempt.started': {
        const known = this.#attempt(instance, attempt);
        if (known.started) this.fail('T1', `attempt ${attempt} of ${instance} began twice`);
        known.started = true;
        this.#mustBeOpen(instance, line.type);
        return;
      }
      case 'turn.started':
        this.#attempt(instance, attempt).turns.set(Number(line['turn']), String(line['messageId']));
        this.#of(instance).inTurn = true;
        this.#mustBeOpen(instance, line.type);
        return;
      case 'turn.yielded':
        this.#of(instance).inTurn = false;
        return;
      case 'turn.ended':
        this.#of(instance).inTurn = false;
        this.#turnEnded(instance, attempt, Number(line['turn']), (line['judgement'] as { kind: string }).kind);
        return;
      case 'commit.started':
        this.#attempt(instance, attempt).commitStarted = true;
        this.#mustBeOpen(instance, line.type);
        return;
      case 'commit.ended': {
        const seen = this.#of(instance);
        if (seen.committed) this.fail('T1', `${instance} completed twice`);
        if (!this.#attempt(instance, attempt).commitStarted)
          this.fail('T2', `${instance} ended a commit that never began`);
        if (seen.content === undefined) this.fail('T2', `${instance} ended a commit that the store never saw`);
        seen.committed = true;
        this.#losses = 0;
        return;
      }
      case 'attempt.failed':
        this.#attempt(instance, attempt).failed = true;
        this.#of(instance).inTurn = false;
        if (this.#of(instance).committed) this.fail('T1', `${instance} failed after it had completed`);
        this.#judgeFailure(instance, line['cause'] as { code: string; class?: string; message: string });
        return;
      case 'instance.settled':
        this.#settle(instance, (line['outcome'] as { kind: string }).kind);
        return;
      case 'task.settled':
        this.#settleTask(String(line['task']), (line['outcome'] as { kind: string }).kind);
        return;
      case 'hold.opened':
        if (line['when'] === 'after') this.#of(String(line['of'])).wasHeld = true;
        return;
      case 'stream.connected':
        if (Number(line['connection']) > 1) this.#gapSinceMs = Date.parse(String(line['time']));
        return;
      case 'stream.reconciled':
      case 'stream.lost':
        this.#gapSinceMs = undefined;
        return;
      case 'server.started':
      case 'run.interrupted':
      case 'run.paused':
        this.#said.add(line.type);
        return;
      case 'run.healing':
        this.#losses += 1;
        if (Number(line['loss']) !== this.#losses)
          this.fail('healing', `loss ${line['loss']} is the ${this.#losses}. in a row`);
        if (this.#losses > LOSSES_MAX) this.fail('healing', `the run goes on after ${this.#losses} losses in a row`);
        if (this.#said.has('run.interrupted')) this.fail('healing', 'the run goes on although it was told to end');
        return;
      case 'run.ended':
        this.#ended = (line as unknown as { outcome: string }).outcome;
        this.#judgeLoss((line['cause'] as { code?: string } | undefined)?.code);
    }
  }

  /** The session is there, and what it handed in. */
  #judgeFailure(
    instance: string,
    { code, class: of, message }: { code: string; class?: string; message: string },
  ): void {
    const isBrokenOff = of === 'session-lost' && (code === 'aborted' || code === 'interrupted');
    if (!isBrokenOff || message.includes('that muster broke off')) return;
    this.fail('broken-off', `${instance} pays with an attempt for a turn that somebody else ended: ${message}`);
  }

  /** A server that had been there and is gone ends a run only when it was lost too often, or when somebody wanted the end. */
  #judgeLoss(code: string | undefined): void {
    const isLoss = code === 'OPENCODE_LOST' || code === 'STREAM_LOST';
    const wasMeant = this.#said.has('run.interrupted') || this.#said.has('run.paused');
    if (!isLoss || wasMeant || !this.#said.has('server.started') || this.#losses >= LOSSES_MAX) return;
    this.fail('healing', `the run ended with ${code} after ${this.#losses} losses in a row`);
  }

  #know(id: string, task: string): void {
    this.#taskOf.set(id, task);
    this.#of(id);
  }

  #expand(task: string, instances: readonly { id: string; task: string; itemKey?: string }[]): void {
    if (this.#expanded.has(task)) this.fail('fan-out', `${task} was expanded twice`);
    const ids = instances.map(({ id }) => id);
    if (new Set(ids).size !== ids.length) this.fail('fan-out', `${task} has an item twice: ${ids.join(', ')}`);
    this.#expanded.set(task, ids);
    for (const { id } of instances) this.#know(id, task);
  }

  #start(instance: string): void {
    const seen = this.#of(instance);
    const task = this.#taskOf.get(instance);
    if (task === undefined) {
      this.fail('O1', `${instance} starts and is of no task`);
      return;
    }
    if (seen.started) this.fail('T1', `${instance} started twice in one process`);
    if (seen.settled !== undefined) this.fail('T1', `${instance} started after it had ended`);
    if (seen.committed) this.fail('T1', `${instance} started after it had completed`);
    seen.started = true;
    const planned = this.#tasks.find(({ id }) => id === task)!;
    for (const { task: before } of planned.waitsFor) this.#mustHaveCompleted(before, instance);
    if (this.#gating === 'wave') {
      for (const { id, wave } of this.#tasks) {
        if (wave < planned.wave && !this.#tasksEnded.has(id))
          this.fail('gate', `${instance} started before wave ${wave} had ended`);
      }
    }
  }

  /** Everything that follows from the last event has been written: the bounds hold. */
  onQuiet(nowMs: number): void {
    const open = [...this.#seen].filter(([, one]) => one.started && one.settled === undefined);
    // Who was held has given its place away, and may come back while another has it: then the provider's gate decides.
    this.#bound(
      open.filter(([, { wasHeld }]) => !wasHeld),
      'at work',
    );
    const inTurn = open.filter(([, one]) => one.inTurn);
    if (inTurn.length <= this.#concurrency) this.#tooManySinceMs = undefined;
    this.#tooManySinceMs ??= inTurn.length <= this.#concurrency ? undefined : nowMs;
    // A turn that is broken off counts until the server has let go of it.
    if (nowMs - (this.#tooManySinceMs ?? nowMs) > BREAKING_OFF_MS) this.#bound(inTurn, 'in a turn');
  }

  #bound(some: readonly (readonly [string, Seen])[], what: string): void {
    if (some.length <= this.#concurrency) return;
    const names = some.map(([id]) => id).join(', ');
    this.fail('concurrency', `${some.length} ${what}, at most ${this.#concurrency}: ${names}`);
  }

  #mustHaveCompleted(task: string, instance: string): void {
    const instances = [...this.#taskOf].filter(([, of]) => of === task).map(([id]) => id);
    const open = instances.filter((id) => !this.#of(id).committed);
    if (open.length > 0 || instances.length === 0) {
      this.fail('gate', `${instance} started before ${open.join(', ') || task} had committed`);
    }
  }

  #turnEnded(instance: string, attempt: number, turn: number, kind: string): void {
    this.#mustBeOpen(instance, 'turn.ended');
    const { turns, endedTurns } = this.#attempt(instance, attempt);
    // Taken up again: it had been judged before.
    if (endedTurns.has(turn)) return;
    endedTurns.add(turn);
    const messageId = turns.get(turn);
    if (messageId === undefined) {
      this.fail('T3', `turn ${turn} of ${instance} ended and never began`);
      return;
    }
    const truth = this.#ports.truthOf(messageId);
    if (kind === 'rejected' && truth && !(truth.state === 'finished' && truth.finish === 'tool-calls')) {
      this.fail('T3', `turn ${turn} of ${instance} counts as refused, at the server it is ${truth.state}`);
    }
    if (kind === 'candidate' && truth && !(truth.state === 'finished' && truth.finish === 'stop')) {
      this.fail(
        'T3',
        `turn ${turn} of ${instance} counts as done, at the server it is ${truth.state} (${truth.finish ?? 'no finish'})`,
      );
    }
  }

  #mustBeOpen(instance: string, what: string): void {
    const seen = this.#of(instance);
    if (seen.committed) this.fail('T1', `${what} of ${instance}, which had completed`);
    if (!seen.started) this.fail('O1', `${what} of ${instance}, which was not started`);
  }

  #settle(instance: string, kind: string): void {
    const seen = this.#of(instance);
    if (seen.settled !== undefined) this.fail('T1', `${instance} ended twice: ${seen.settled}, then ${kind}`);
    if (kind === 'completed' && !seen.committed) this.fail('T2', `${instance} completed without a commit`);
    if (kind !== 'completed' && seen.committed) this.fail('T1', `${instance} committed and ended ${kind}`);
    seen.settled = kind;
  }

  #settleTask(task: string, kind: string): void {
    if (this.#tasksEnded.has(task)) this.fail('T1', `task ${task} ended twice`);
    this.#tasksEnded.set(task, kind);
  }

  // ---------------------------------------------------------------------------------------------- what others see

  #line(type: string, fits: (line: Line) => boolean): boolean {
    return this.lines.slice(0, this.#durable).some((line) => line.type === type && fits(line));
  }

  onSession({ instance, attempt }: ServerSession): void {
    const seen = this.#of(instance);
    if (seen.committed) this.fail('completed', `${instance} had completed and gets a session`);
    const unheard = this.#ports.unheardSessions(instance);
    if (unheard === seen.sessions.get(attempt)) {
      this.fail('sessions', `${instance} gets a second session for attempt ${attempt}, and muster knew of the first`);
    }
    seen.sessions.set(attempt, unheard);
    const isJournalled = this.#line(
      'attempt.started',
      (line) => line['instance'] === instance && line['attempt'] === attempt,
    );
    if (!isJournalled) this.fail('J1', `${instance} gets a session for attempt ${attempt} that is not in the journal`);
  }

  onPrompt({ instance, messageId }: PromptTruth): void {
    if (this.#of(instance).committed) this.fail('completed', `${instance} had completed and gets a prompt`);
    const isJournalled = this.#line('turn.started', (line) => line['messageId'] === messageId);
    if (!isJournalled)
      this.fail('J1', `a prompt of ${instance} reaches the server before the journal's line is on disk`);
  }

  /** The instance whose batch this is. */
  onCommit({ task, nodes, relationships }: GraphBatch): string | undefined {
    if (task.startsWith('@')) return undefined;
    const wanted = JSON.stringify({ nodes, relationships });
    for (const [id, { attempts, committed, content }] of this.#seen) {
      if (this.#taskOf.get(id) !== task) continue;
      for (const [attempt, { commitStarted }] of attempts) {
        if (
          !commitStarted ||
          !this.#line('commit.started', (line) => line['instance'] === id && line['attempt'] === attempt)
        )
          continue;
        if (this.#published(id, attempt) !== wanted) continue;
        if (committed) this.fail('completed', `${id} commits again`);
        if (content !== undefined && content !== wanted) this.fail('D1', `${id} commits twice, and not the same`);
        return id;
      }
    }
    this.fail('D1', `a batch of ${task} reaches the store, and no publication of a begun commit holds it`);
    return undefined;
  }

  onCommitted({ nodes, relationships }: GraphBatch, instance: string): void {
    this.#of(instance).content = JSON.stringify({ nodes, relationships });
  }

  /** What the attempt was to publish, as its file on disk says. */
  #published(instance: string, attempt: number): string | undefined {
    const { disk } = this.#ports;
    const file = `${this.workFolder(instance)}/attempt-${attempt}.publication.json`;
    if (!disk.exists(file)) return undefined;
    const text = disk.readDurable(file).toString();
    return text === '' ? undefined : JSON.stringify((JSON.parse(text) as { publication: unknown }).publication);
  }

  /** Where the work of an instance is kept, with the name that the workspace gives its folder: `items[A]` → `items.A`. */
  workFolder(instance: string): string {
    const folder = this.journal.slice(0, this.journal.lastIndexOf('/'));
    return `${folder}/work/${instance.replace(/\[(.*)\]$/, '.$1')}`;
  }

  /** Once the run has ended for good. */
  judgeEnd(): void {
    for (const [id, seen] of this.#seen) {
      if (seen.settled === undefined) this.fail('T1', `the run ended, ${id} did not`);
    }
    for (const { id } of this.#tasks) {
      if (!this.#tasksEnded.has(id)) this.fail('T1', `the run ended, task ${id} did not`);
    }
  }

  /** Items of a fan-out that have no instance, or instances without an item. */
  judgeFanOut(task: string, items: readonly string[]): void {
    const expected = items.map((item) => `${task}[${item}]`).sort();
    const got = [...(this.#expanded.get(task) ?? [])].sort();
    if (expected.join() !== got.join())
      this.fail('fan-out', `${task}: expected ${expected.join(', ')}, got ${got.join(', ')}`);
  }
}
