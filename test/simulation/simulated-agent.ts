/**
 * The agents of the world: what they do in a turn, and the calls of their tools, which reach muster's real endpoint as the
 * tool file in the workspace makes them (src/opencode/tool-file.ts).
 */
import type { Faults } from './faults.ts';
import type { Network } from './network.ts';
import type { SeededRandom } from './random.ts';
import type { ServerSession } from './server-session.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface AgentCall {
  /** As the server names it: `muster_submit`, `read`. */
  readonly tool: string;
  readonly arguments: unknown;
}

export interface AgentResult {
  readonly text: string;
  readonly isError: boolean;
}

/** One call of the model: tools, or the last word. */
export type AgentStep =
  | { readonly kind: 'tools'; readonly calls: readonly AgentCall[] }
  | { readonly kind: 'stop' | 'cut-off' | 'no-finish' };

export type AgentTurn = Generator<AgentStep, void, readonly AgentResult[]>;

/** What an agent that does its work well hands in. */
export interface Work {
  readonly steps: readonly (readonly AgentCall[])[];
  /** A row that is valid and does not belong there. */
  readonly extra?: { readonly entity: string; readonly attributes: object; readonly key: object };
}

export interface AgentPorts {
  readonly time: VirtualTime;
  readonly disk: SimulatedDisk;
  readonly network: Network;
  readonly faults: Faults;
  readonly random: SeededRandom;
  /** @param turn of the session, from 0. */
  readonly work: (instance: string, turn: number) => Work;
  /** Instances whose agents never do their work. */
  readonly hopeless: ReadonlySet<string>;
  /** An agent hears what muster answered. */
  readonly onAnswered: (session: ServerSession, call: AgentCall, text: string) => void;
}

/** As the tool file has them. */
const RETRY_MS = 500;
const AWAY_MS = 100_000;
const UNKNOWN_MS = 15_000;
const BROKEN_MS = 2_000;
/** How muster says that a failure of its own kept it from answering. */
const COULD_NOT = 'muster could not answer';
const MOST_TRIES = 3;

const SUBMIT = 'muster_submit';
/** Without their success the work is not in. */
const HANDS_IN = new Set([SUBMIT, 'muster_withdraw', 'muster_complete']);

export class SimulatedAgents {
  readonly #ports: AgentPorts;
  /** Sessions whose agents handed in too much, perhaps without having taken it back. */
  readonly #owes = new Set<string>();

  constructor(ports: AgentPorts) {
    this.#ports = ports;
  }

  begin({
    session,
  }: {
    readonly session: ServerSession;
    readonly text: string;
    readonly directory: string;
  }): AgentTurn {
    const { faults, hopeless } = this.#ports;
    const { instance } = session;
    const work = this.#withdrawing(session.id, this.#ports.work(instance, Math.max(0, session.prompts.length - 1)));
    if (hopeless.has(instance)) return this.#ports.random.chance(0.5) ? nothing() : this.#garbage(work);
    if (faults.strikes('agent-garbage', instance)) return this.#garbage(work);
    if (faults.strikes('agent-nothing', instance)) return nothing();
    if (faults.strikes('agent-too-much', instance)) {
      this.#owes.add(session.id);
      return tooMuch(this.#withdrawing(session.id, work));
    }
    if (faults.strikes('agent-incomplete', instance)) return incomplete(work);
    if (faults.strikes('agent-late-call', instance)) return lateCall(work);
    if (faults.strikes('agent-cut-off', instance)) return cutOff(work);
    if (faults.strikes('agent-loops', instance, instance)) return loops();
    if (faults.strikes('agent-without-finish', instance, instance)) return noFinish();
    return diligent(work);
  }

  /** What is too much is taken back before anything is completed, also when an earlier turn was cut off in between. */
  #withdrawing(session: string, work: Work): Work {
    if (!work.extra || !this.#owes.has(session)) return work;
    const { entity, key } = work.extra;
    return {
      ...work,
      steps: [[{ tool: 'muster_withdraw', arguments: { entities: [{ entity, key }] } }], ...work.steps],
    };
  }

  /** One call of a tool; resolves with an error that the agent sees. */
  async call(session: ServerSession, call: AgentCall, directory: string, isOver: () => boolean): Promise<AgentResult> {
    const { time } = this.#ports;
    const tool = /^muster_(\w+)$/.exec(call.tool)?.[1];
    if (!tool) return { text: 'the file', isError: false };
    const startMs = time.nowMs;
    for (;;) {
      const answer = await this.#ask(session, tool, call.arguments, directory);
      if (!('waitMs' in answer)) {
        if (!answer.isError) this.#ports.onAnswered(session, call, answer.text);
        return answer;
      }
      if (isOver() || time.nowMs - startMs >= answer.waitMs) return { text: answer.text, isError: true };
      await time.wait(RETRY_MS);
    }
  }

  async #ask(
    session: ServerSession,
    tool: string,
    given: unknown,
    directory: string,
  ): Promise<AgentResult | { readonly text: string; readonly waitMs: number }> {
    const { disk, network } = this.#ports;
    const file = `${directory}/../endpoint.json`;
    const text = disk.exists(file) ? disk.read(file).toString() : '';
    // A failing power tears a file that was not synchronised.
    if (!text.endsWith('}\n')) return { text: 'the run that this session belongs to has ended', isError: true };
    const { url, token } = JSON.parse(text) as { url: string; token: string };
    const body = JSON.stringify({ session: session.id, call: 'call', arguments: given });
    try {
      const answer = await network.callMuster(Number(new URL(url).port), `/tools/${tool}`, token, body);
      const text = String((answer.body as { text?: unknown }).text);
      if (answer.status === 200) return { text, isError: false };
      return answer.status === 403 ? { text, waitMs: UNKNOWN_MS } : { text, isError: true };
    } catch (thrown) {
      const isAway = (thrown as { code?: string }).code === 'ECONNREFUSED';
      return { text: 'muster did not answer', waitMs: isAway ? AWAY_MS : BROKEN_MS };
    }
  }

  *#garbage(work: Work): AgentTurn {
    const { random } = this.#ports;
    const own = rowsOf(work)[0] ?? { entity: 'None', attributes: {} };
    const garbage: unknown[] = [
      null,
      'text',
      42,
      [],
      {},
      { entities: 'rows' },
      { entities: [null, 1, 'row', []] },
      { entities: [{ entity: 'Nowhere', attributes: { code: 'X' } }] },
      { entities: [{ ...own, attributes: { ...(own.attributes as object), code: 17, producedBy: 'me' } }] },
      { entities: [{ ...own, attributes: JSON.parse('{"__proto__": {"code": "A"}}') }] },
      { entities: [], relationships: [{ type: 'COUNTS', from: {}, to: null }] },
      { relationships: Array.from({ length: 50 }, () => ({ type: 'NOTHING' })) },
    ];
    const calls = Array.from({ length: random.between(1, 3) }, () => ({
      tool: SUBMIT,
      arguments: random.pick(garbage),
    }));
    yield { kind: 'tools', calls };
    if (random.chance(0.5))
      yield { kind: 'tools', calls: [{ tool: 'muster_withdraw', arguments: random.pick(garbage) }] };
    // With sound arguments it could count, for what an earlier turn had handed in by half.
    if (random.chance(0.5)) yield { kind: 'tools', calls: [{ tool: 'muster_complete', arguments: 'done' }] };
    yield { kind: 'stop' };
  }
}

function* diligent(work: Work): AgentTurn {
  yield* handInAll(work);
  yield { kind: 'stop' };
}

/** Tries what failed again, as it is told to; false when something does not work at all. */
function* handInAll(work: Work): Generator<AgentStep, boolean, readonly AgentResult[]> {
  for (const calls of work.steps) {
    let open = calls;
    for (let time = 0; open.length > 0; time += 1) {
      if (time === MOST_TRIES) return false;
      const results: readonly AgentResult[] = yield { kind: 'tools', calls: open };
      open = open.filter(({ tool }, at) => HANDS_IN.has(tool) && hasFailed(results[at]));
    }
  }
  return true;
}

function hasFailed(result: AgentResult | undefined): boolean {
  return result?.isError === true || result?.text.startsWith(COULD_NOT) === true;
}

function* nothing(): AgentTurn {
  yield { kind: 'stop' };
}

function* tooMuch(work: Work): AgentTurn {
  const rows = rowsOf(work);
  const entities = Array.from({ length: 60 }, (_, at) => rows[at % Math.max(1, rows.length)]);
  yield { kind: 'tools', calls: [{ tool: SUBMIT, arguments: { entities, relationships: [] } }] };
  const foreign = { entity: 'Foreign', attributes: { code: 'F' } };
  yield { kind: 'tools', calls: [{ tool: SUBMIT, arguments: { entities: [foreign], relationships: [] } }] };
  if (work.extra) {
    const { entity, attributes } = work.extra;
    yield { kind: 'tools', calls: [{ tool: SUBMIT, arguments: { entities: [{ entity, attributes }] } }] };
  }
  yield* diligent(work);
}

function* incomplete(work: Work): AgentTurn {
  const [first] = work.steps;
  if (first && work.steps.length > 1) yield { kind: 'tools', calls: first };
  yield { kind: 'stop' };
}

/** Hands in once more what it had completed: that takes the completion back. */
function* lateCall(work: Work): AgentTurn {
  const isIn = yield* handInAll(work);
  const submit = work.steps.flat().find(({ tool }) => tool === SUBMIT);
  if (isIn && submit) yield { kind: 'tools', calls: [submit] };
  yield { kind: 'stop' };
}

function* cutOff(work: Work): AgentTurn {
  const [first] = work.steps;
  if (first) yield { kind: 'tools', calls: first };
  yield { kind: 'cut-off' };
}

function* loops(): AgentTurn {
  for (let time = 0; time < 40; time += 1) {
    yield { kind: 'tools', calls: [{ tool: 'read', arguments: { filePath: 'documents/list.md' } }] };
  }
  yield { kind: 'stop' };
}

function* noFinish(): AgentTurn {
  yield { kind: 'no-finish' };
}

function rowsOf({ steps }: Work): readonly { readonly entity: string; readonly attributes: unknown }[] {
  return steps.flat().flatMap((call) => {
    const { entities } = (call.arguments ?? {}) as { entities?: { entity: string; attributes: unknown }[] };
    return call.tool === SUBMIT ? (entities ?? []) : [];
  });
}
