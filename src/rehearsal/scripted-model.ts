/**
 * The scripted model without its wire: which step answers a request.
 *
 * Owns: which session is which attempt of an instance, how often a failing step has failed, and the count of calls.
 * Does not own: the position in a script, which every request tells by itself (cue.ts).
 */
import { type ChatRequest, cueOf, readConversation } from './cue.ts';
import { instanceFileName, type Rehearsal, type Step } from './script.ts';

/** What was asked of the scripted model so far. */
export interface Asked {
  readonly byInstance: Readonly<Record<string, number>>;
  /** Calls for titles and the like, and for instances without a script. */
  readonly other: number;
}

export interface Performance {
  readonly step: Step;
  /** Unique for each answer of a session, and the same when the same request comes again: makes tool-call ids. */
  readonly position: string;
}

export class ScriptedModel {
  readonly #rehearsal: Rehearsal;
  /** Sessions of each instance in order of appearance: the place in the list is the attempt. */
  readonly #sessions = new Map<string, string[]>();
  /** Failures given, by session and place. */
  readonly #failures = new Map<string, number>();
  readonly #calls = new Map<string, number>();
  #others = 0;

  constructor(rehearsal: Rehearsal) {
    this.#rehearsal = rehearsal;
  }

  asked(): Asked {
    return { byInstance: Object.fromEntries(this.#calls), other: this.#others };
  }

  /** The same request gets the same step; only a failing step is counted, and gives way after its `times`. */
  answer(chat: ChatRequest, session: string): Performance {
    const conversation = chat.model === this.#rehearsal.model ? readConversation(chat) : undefined;
    if (!conversation) return this.#aside('Rehearsal');
    const script = this.#rehearsal.instances.get(conversation.instance);
    if (!script) return this.#aside(noScript(conversation.instance));

    this.#calls.set(conversation.instance, (this.#calls.get(conversation.instance) ?? 0) + 1);
    const nameOf = (place: string) => `${session} ${place}`;
    const attempt = this.#attemptOf(conversation.instance, session);
    const cue = cueOf(script, conversation, attempt, (place) => this.#failures.get(nameOf(place)) ?? 0);
    // Asked once more after the last step of a turn: a closing word ends the turn as a model would.
    const step = cue.step ?? { say: 'That is all I have for this turn.' };
    if (step.error) this.#failures.set(nameOf(cue.place), (this.#failures.get(nameOf(cue.place)) ?? 0) + 1);
    return { step, position: `${conversation.prompts}_${conversation.answers}` };
  }

  #aside(say: string): Performance {
    this.#others += 1;
    return { step: { say }, position: 'aside' };
  }

  #attemptOf(instance: string, session: string): number {
    const sessions = this.#sessions.get(instance) ?? [];
    this.#sessions.set(instance, sessions);
    if (!sessions.includes(session)) sessions.push(session);
    return sessions.indexOf(session) + 1;
  }
}

function noScript(instance: string): string {
  const file = `${instanceFileName(instance)}.json`;
  return `No rehearsal script exists for ${instance}. To give it one, write ${file} beside rehearsal.json.`;
}
