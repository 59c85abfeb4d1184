/**
 * Where in its script a conversation stands, read from the request alone.
 *
 * The server resends and retries: a position kept in a counter would run ahead. The messages of a request say how many
 * prompts muster sent and how many answers the model gave since; only failing calls leave no trace in them, so the
 * number of failures given is the one thing that must be remembered (see model-server.ts). A prompt that goes on with an
 * interrupted turn begins no turn of the script: what the turn had left to hand in would never come.
 */
import { z } from 'zod';
import { GOES_ON } from '../output/continue-prompt.ts';
import type { InstanceScript, Step } from './script.ts';

/** What of a chat-completions request counts; everything else passes through unread. */
export const chatRequestSchema = z.looseObject({
  model: z.string(),
  stream: z.boolean().optional(),
  stream_options: z.looseObject({ include_usage: z.boolean().optional() }).nullish(),
  messages: z.array(z.looseObject({ role: z.string(), content: z.unknown().optional() })),
});

export type ChatRequest = z.infer<typeof chatRequestSchema>;

export interface Conversation {
  readonly instance: string;
  /** Prompts of muster so far; 1 while the work prompt is answered. */
  readonly prompts: number;
  /** The same without those that only go on with an interrupted turn: the turn of the script. */
  readonly turn: number;
  /** Answers of the model since the last of them. */
  readonly answers: number;
}

/** Reads the conversation, or undefined when no user message begins with the line `Task: <instance>`. */
export function readConversation(request: ChatRequest): Conversation | undefined {
  let instance: string | undefined;
  let prompts = 0;
  let turn = 0;
  let answers = 0;
  for (const message of request.messages) {
    if (message.role === 'assistant') answers += 1;
    const prompt = message.role === 'user' ? promptIn(message.content) : undefined;
    if (prompt === undefined) continue;
    instance = prompt.instance;
    prompts += 1;
    // What an interrupted turn did cannot be told from here: it is done again from its first step, row by row the same.
    if (!prompt.goesOn || turn === 0) turn += 1;
    answers = 0;
  }
  return instance === undefined ? undefined : { instance, prompts, turn, answers };
}

// Only user messages are searched: a document that an agent read may hold such a line, in a tool message.
function promptIn(content: unknown): { readonly instance: string; readonly goesOn: boolean } | undefined {
  for (const text of texts(content)) {
    const found = /^Task:[ \t]*(\S.*?)[ \t]*\r?(?:\n|$)(?:\s*(#.*))?/.exec(text);
    if (found?.[1] !== undefined) return { instance: found[1], goesOn: found[2]?.trimEnd().endsWith(GOES_ON) === true };
  }
  return undefined;
}

function texts(content: unknown): readonly string[] {
  if (typeof content === 'string') return [content];
  if (!Array.isArray(content)) return [];
  return content.flatMap((part: { text?: unknown } | null) => (typeof part?.text === 'string' ? [part.text] : []));
}

/** One step to perform, and its place in the conversation's script; `step` is absent when the turn has no more. */
export interface Cue {
  readonly step?: Step;
  /** `attempt.turn.step` of the script, the name under which failures given are counted. */
  readonly place: string;
}

/**
 * Finds the step to perform. Attempts and turns beyond the last repeat the last; after the last step of a turn there is
 * none, unless that step gave no finish reason: such a model is asked again for ever and answers the same.
 *
 * @param attempt 1 for the first session of the instance
 * @param failuresGiven how often the step at a place has failed already
 */
export function cueOf(
  script: InstanceScript,
  conversation: Conversation,
  attempt: number,
  failuresGiven: (place: string) => number,
): Cue {
  const attemptIndex = Math.min(attempt, script.attempts.length) - 1;
  const turns = script.attempts[attemptIndex]!.turns;
  const turnIndex = Math.min(conversation.turn, turns.length) - 1;
  const steps = turns[turnIndex]!;
  // The conversation's own numbers, not the clamped ones: a repeated turn fails afresh.
  const prefix = `${attempt}.${conversation.turn}`;
  let answersLeft = conversation.answers;
  for (const [index, step] of steps.entries()) {
    const place = `${prefix}.${index}`;
    if (step.error) {
      if (answersLeft === 0 && failuresGiven(place) < step.error.times) return { step, place };
    } else if (answersLeft === 0) {
      return { step, place };
    } else {
      answersLeft -= 1;
    }
  }
  const last = steps.at(-1)!;
  const place = `${prefix}.${steps.length - 1}`;
  return last.finish === 'none' ? { step: last, place } : { place };
}
