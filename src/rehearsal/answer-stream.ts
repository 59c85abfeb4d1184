/** A step as the chunks of an OpenAI chat-completions stream. Pure: pace and sockets are the server's business. */
import type { ScriptedCall, Step } from './script.ts';

/** Characters of text in one chunk, about what a language model sends at once. */
const TEXT_PIECE = 40;
/** Characters of tool arguments in one chunk; larger, so that a submission of 50 kB does not take minutes. */
const ARGUMENTS_PIECE = 1024;

/** Values that all chunks of one answer share. */
export interface AnswerHead {
  readonly id: string;
  readonly model: string;
  /** Seconds since the epoch. */
  readonly created: number;
  /** Prefix of the tool-call ids; with the call's index it must be unique in the session. */
  readonly callPrefix: string;
  /** Present when the caller asked for usage. */
  readonly usage?: { readonly input: number; readonly output: number };
}

/** The chunks of `step` in order, without the `[DONE]` line; a step that hangs has no closing chunks. */
export function answerChunks(step: Step, head: AnswerHead): readonly object[] {
  const chunk = (choices: readonly object[], rest: object = {}) => ({
    id: head.id,
    object: 'chat.completion.chunk',
    created: head.created,
    model: head.model,
    choices,
    ...rest,
  });
  const delta = (value: object, finish: string | null = null) =>
    chunk([{ index: 0, delta: value, finish_reason: finish }]);

  const chunks: object[] = [delta({ role: 'assistant', content: '' })];
  for (const piece of pieces(step.say ?? '', TEXT_PIECE)) chunks.push(delta({ content: piece }));
  for (const [index, call] of (step.calls ?? []).entries()) {
    const opening = { index, id: `${head.callPrefix}_${index}`, type: 'function' };
    chunks.push(delta({ tool_calls: [{ ...opening, function: { name: call.tool, arguments: '' } }] }));
    for (const piece of pieces(argumentsText(call), ARGUMENTS_PIECE)) {
      chunks.push(delta({ tool_calls: [{ index, function: { arguments: piece } }] }));
    }
  }
  if (step.hang) return chunks;
  const finish = step.finish ?? (step.calls ? 'tool-calls' : 'stop');
  if (finish !== 'none') chunks.push(delta({}, finish === 'tool-calls' ? 'tool_calls' : finish));
  if (head.usage) {
    const { input, output } = head.usage;
    const usage = { prompt_tokens: input, completion_tokens: output, total_tokens: input + output };
    chunks.push(chunk([], { usage }));
  }
  return chunks;
}

function argumentsText(call: ScriptedCall): string {
  return call.rawArguments ?? JSON.stringify(call.arguments ?? {});
}

function pieces(text: string, size: number): readonly string[] {
  // By code points: a client that shows each piece as it comes must not meet half a character.
  const points = Array.from(text);
  const found: string[] = [];
  for (let at = 0; at < points.length; at += size) found.push(points.slice(at, at + size).join(''));
  return found;
}
