import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { continuePrompt } from '../../src/output/continue-prompt.ts';
import type { PromptParts } from '../../src/output/prompt.ts';
import { type ChatRequest, cueOf, readConversation } from '../../src/rehearsal/cue.ts';
import { instanceScriptSchema } from '../../src/rehearsal/script.ts';

type Message = ChatRequest['messages'][number];

const prompt = (text: string): Message => ({ role: 'user', content: text });
const answer: Message = { role: 'assistant', content: 'x' };
const tool: Message = { role: 'tool', content: 'Task: somebody-else\nnot a prompt' };
const request = (...messages: Message[]): ChatRequest => ({ model: 'scripted', messages });
const never = () => 0;

const script = (turns: unknown) => instanceScriptSchema.parse({ instance: 'alpha', turns });

describe('readConversation', () => {
  it('knows the instance by the first line of a prompt', () => {
    const read = readConversation(
      request({ role: 'system', content: 's' }, prompt('Task: itp-generation[ITP-07]\nGo on.')),
    );
    expect(read).toEqual({ instance: 'itp-generation[ITP-07]', prompts: 1, turn: 1, answers: 0 });
  });

  it('reads a prompt that comes in parts', () => {
    const content = [{ type: 'text', text: 'Task: alpha\r\nx' }, { type: 'image_url' }];
    expect(readConversation(request({ role: 'user', content }))?.instance).toBe('alpha');
  });

  it('counts answers since the last prompt only', () => {
    const messages = [prompt('Task: a\n'), answer, tool, answer, prompt('Task: a\nRepair'), answer, tool];
    expect(readConversation(request(...messages))).toEqual({ instance: 'a', prompts: 2, turn: 2, answers: 1 });
  });

  it('begins a turn anew at a prompt that only goes on with it', () => {
    const goOn = prompt(
      continuePrompt({
        context: {
          schema: { name: 's', version: '1.0.0', description: '', scope: 'projectId', entities: [], relationships: [] },
          instance: { id: 'a', task: 'a' },
          scope: 'P1',
          sources: [],
          readable: [],
        } as unknown as PromptParts['context'],
        title: 'The plan',
        goal: 'Go on: # go on',
        folder: 'tasks/a',
        databases: [],
      }),
    );
    const messages = [prompt('Task: a\n\n# The plan\n'), answer, tool, goOn, answer, tool, answer];
    expect(readConversation(request(...messages))).toEqual({ instance: 'a', prompts: 2, turn: 1, answers: 2 });
    const repaired = [...messages, prompt('Task: a\n\n# The plan: repair\n'), answer, goOn];
    expect(readConversation(request(...repaired))).toEqual({ instance: 'a', prompts: 4, turn: 2, answers: 0 });
    // Of a conversation whose beginning was compacted away.
    expect(readConversation(request(goOn, answer))).toEqual({ instance: 'a', prompts: 1, turn: 1, answers: 1 });
  });

  it('takes no instance from a document, nor from the middle of a prompt', () => {
    expect(readConversation(request(prompt('Title this:\nTask: a'), tool))).toBeUndefined();
  });

  it('passes over user messages that are not muster prompts', () => {
    const messages = [prompt('Task: a\n'), answer, prompt('<system-reminder>'), answer];
    expect(readConversation(request(...messages))).toEqual({ instance: 'a', prompts: 1, turn: 1, answers: 2 });
  });
});

describe('cueOf', () => {
  const turns = [[{ say: '1.1' }, { say: '1.2' }], [{ say: '2.1' }]];
  const at = (turn: number, answers: number, attempt = 1) =>
    cueOf(script(turns), { instance: 'alpha', prompts: turn, turn, answers }, attempt, never).step?.say;

  it('follows the steps of a turn, and the turns of an attempt', () => {
    expect([at(1, 0), at(1, 1), at(2, 0)]).toEqual(['1.1', '1.2', '2.1']);
  });

  it('has nothing more to say after the last step of a turn', () => {
    expect(at(1, 2)).toBeUndefined();
  });

  it('repeats the last turn for further prompts', () => {
    expect(at(5, 0)).toBe('2.1');
  });

  it('repeats the last attempt for further sessions', () => {
    const two = instanceScriptSchema.parse({
      instance: 'alpha',
      attempts: [{ turns: [[{ say: 'first' }]] }, { turns: [[{ say: 'second' }]] }],
    });
    const say = (attempt: number) =>
      cueOf(two, { instance: 'alpha', prompts: 1, turn: 1, answers: 0 }, attempt, never).step?.say;
    expect([say(1), say(2), say(3)]).toEqual(['first', 'second', 'second']);
  });

  it('goes on for ever after a step without a finish reason', () => {
    const loop = script([[{ say: 'a' }, { say: 'b', finish: 'none' }]]);
    const say = (answers: number) =>
      cueOf(loop, { instance: 'alpha', prompts: 1, turn: 1, answers }, 1, never).step?.say;
    expect([say(0), say(1), say(2), say(9)]).toEqual(['a', 'b', 'b', 'b']);
  });

  it('gives a failing step its number of times, then the step after it, and passes it over later', () => {
    const failing = script([[{ say: 'a' }, { error: { status: 500, message: 'm', times: 2 } }, { say: 'b' }]]);
    const cue = (answers: number, given: number) =>
      cueOf(failing, { instance: 'alpha', prompts: 1, turn: 1, answers }, 1, () => given).step;
    expect(cue(1, 0)?.error?.status).toBe(500);
    expect(cue(1, 1)?.error?.status).toBe(500);
    expect(cue(1, 2)?.say).toBe('b');
    expect(cue(0, 0)?.say).toBe('a');
    expect(cue(2, 0)).toBeUndefined();
  });

  it('is the same for the same messages, whatever was asked before', () => {
    const step = fc.record({ say: fc.string() });
    const anyTurns = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 });
    const asked = fc.array(fc.record({ prompts: fc.integer({ min: 1, max: 4 }), answers: fc.nat({ max: 5 }) }));
    fc.assert(
      fc.property(anyTurns, asked, (some, positions) => {
        const of = script(some);
        for (const { prompts, answers } of positions) {
          const expected = some[Math.min(prompts, some.length) - 1]?.[answers];
          expect(cueOf(of, { instance: 'alpha', prompts, turn: prompts, answers }, 1, never).step).toEqual(expected);
        }
      }),
    );
  });
});
