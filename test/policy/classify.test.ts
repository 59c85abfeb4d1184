import { describe, expect, it } from 'vitest';
import { FAILURE_CLASSES, type FailureClass } from '../../schemas/failure.ts';
import type { Judgement } from '../../schemas/session-event.ts';
import { MusterError } from '../../src/errors.ts';
import { answeredError, connectionLost, timedOut } from '../../src/opencode/request-error.ts';
import { errorFailure, holdFailure, limitFailure, lostFailure, turnFailure } from '../../src/policy/classify.ts';
import { loadTrace, replay } from '../opencode/replay.ts';

const failed = (message: string, more: Partial<Extract<Judgement, { kind: 'failed' }>> = {}) =>
  ({ kind: 'failed', error: 'APIError', message, retryable: true, ...more }) as const;
const classOf = (judgement: Judgement) => turnFailure({ judgement }).class;

describe('what OpenCode was recorded to report', () => {
  const recorded: Readonly<Record<string, FailureClass>> = {
    'retry-500-exhausted': 'provider-down',
    'retry-reset-exhausted': 'provider-down',
    'error-401': 'auth',
    'loop-finish-unknown': 'loop',
    'permission-reject-stops': 'permission-refused',
    'question-rejected': 'permission-refused',
    'structured-missing': 'invalid-output',
    'compaction-fails': 'context-overflow',
    'invalid-model': 'auth',
    'invalid-agent': 'session-lost',
    'poisoned-instance': 'server-lost',
    'abort-mid-text': 'session-lost',
    'abort-during-retry': 'session-lost',
    'text-with-title': 'incomplete',
  };
  it.each(Object.entries(recorded))('%s is %s', async (name, of) => {
    const world = await replay(loadTrace(name));
    const ending = [...world.events.values()].flat().find((event) => event.type === 'session.turn-ended');
    expect(ending).toBeDefined();
    expect(turnFailure(ending!).class).toBe(of);
  });
});

describe('what a provider answers', () => {
  it.each<[string, Judgement, FailureClass]>([
    ['429', failed('Too many', { status: 429 }), 'rate-limit'],
    ['the words of a rate limit under another status', failed('Rate limit reached', { status: 503 }), 'rate-limit'],
    ['a spent quota, although it comes as 429', failed('You exceeded your current quota', { status: 429 }), 'budget'],
    [
      'a spent quota told by the code alone',
      failed('nope', { status: 429, providerCode: 'insufficient_quota' }),
      'budget',
    ],
    ['402', failed('Payment required', { status: 402 }), 'budget'],
    ['529', failed('Overloaded', { status: 529 }), 'overload'],
    ['overload told in words', failed('overloaded_error', { status: 500 }), 'overload'],
    ['502', failed('Bad gateway', { status: 502 }), 'provider-down'],
    ['a refused connection', failed('connect ECONNREFUSED 127.0.0.1:1'), 'provider-down'],
    ['an error of no known kind that may pass', failed('hm'), 'provider-down'],
    ['401', failed('Invalid API key', { status: 401, retryable: false }), 'auth'],
    ['an error that OpenCode itself calls so', failed('no key', { error: 'ProviderAuthError' }), 'auth'],
    ['a model that does not exist', failed('model_not_found', { status: 404, retryable: false }), 'auth'],
    [
      'a context that is too long, by its words',
      failed('prompt is too long: 210000 tokens', { status: 400 }),
      'context-overflow',
    ],
    ['a filter', failed('stopped', { error: 'ContentFilterError', retryable: false }), 'permission-refused'],
    ['a request that is wrong in itself', failed('bad schema', { status: 400, retryable: false }), 'bug'],
  ])('%s', (_, judgement, of) => {
    expect(classOf(judgement)).toBe(of);
  });

  it('keeps the wait that it asked for, and its own name of the error', () => {
    const failure = turnFailure({ judgement: failed('slow', { status: 429, retryAfterMs: 7_000 }) });
    expect(failure).toMatchObject({
      retryAfterMs: 7_000,
      cause: { code: 'APIError', message: 'slow', class: 'rate-limit' },
    });
  });
});

describe('a turn that ended as turns do, without complete work', () => {
  const candidate: Judgement = { kind: 'candidate' };
  const work = { accepted: 3, refused: 0 };

  it('is incomplete, and says so when nothing at all was handed in', () => {
    expect(turnFailure({ judgement: candidate, work })).toMatchObject({ class: 'incomplete' });
    const nothing = turnFailure({ judgement: candidate, work: { accepted: 0, refused: 0 } });
    expect(nothing.cause.message).toMatch(/without having handed in anything/);
  });

  it('is invalid output when the last rows were refused and nobody mended them', () => {
    expect(turnFailure({ judgement: candidate, work: { accepted: 3, refused: 2 } })).toMatchObject({
      class: 'invalid-output',
      cause: { message: expect.stringMatching(/2 refused rows/) },
    });
  });

  it('is a tool error when the agent stopped at a tool that failed, whatever was refused before', () => {
    const tools = { calls: 2, failed: 1, lastFailed: { tool: 'read', message: 'ENOENT' } };
    expect(turnFailure({ judgement: candidate, tools, work: { accepted: 0, refused: 1 } }).class).toBe('tool-error');
  });

  it('is a refusal when that tool was not allowed', () => {
    for (const message of [
      'The user rejected permission to use this specific tool call.',
      'The user has specified a rule which prevents you from using this specific tool call.',
      "Model tried to call unavailable tool 'bash'. Available tools: read",
    ]) {
      const tools = { calls: 1, failed: 1, lastFailed: { tool: 'bash', message } };
      expect(turnFailure({ judgement: candidate, tools }).class).toBe('permission-refused');
    }
  });

  it('is told apart when the answer was cut off', () => {
    expect(turnFailure({ judgement: { kind: 'truncated' }, work }).cause.code).toBe('truncated');
  });
});

describe('our own limits, effects and people', () => {
  it.each([
    ['stall', 'stall'],
    ['time-limit', 'time'],
    ['step-limit', 'budget'],
    ['token-limit', 'budget'],
    ['cost-limit', 'budget'],
    ['repeated-calls', 'loop'],
  ] as const)('the limit %s is of class %s', (code, of) => {
    expect(limitFailure(code, 'm')).toMatchObject({ class: of, cause: { code, class: of } });
  });

  it('a request that OpenCode refuses is judged by its status', () => {
    expect(errorFailure(answeredError('POST /session', 404, '{}')).class).toBe('session-lost');
    expect(errorFailure(answeredError('POST /session', 503, '')).class).toBe('session-lost');
    expect(errorFailure(timedOut('POST /session', 60_000)).class).toBe('session-lost');
    expect(errorFailure(answeredError('POST /session', 401, '{}')).class).toBe('auth');
    expect(errorFailure(answeredError('POST /session', 400, '{}')).class).toBe('bug');
    expect(errorFailure(connectionLost('POST /session', new Error('ECONNRESET'))).class).toBe('server-lost');
  });

  it('anything else that is thrown is a bug, with its code', () => {
    expect(errorFailure(new TypeError('x')).cause).toEqual({ code: 'BUG', message: 'x', class: 'bug' });
    expect(errorFailure(new MusterError('GRAPH_COMMIT', 'no end')).cause).toMatchObject({
      code: 'GRAPH_COMMIT',
      class: 'bug',
    });
  });

  it('a lost server and a refusing person have classes of their own', () => {
    expect(lostFailure('gone').class).toBe('server-lost');
    expect(holdFailure('hold-rejected', 'no')).toMatchObject({ class: 'permission-refused', retryable: false });
  });
});

it('every judgement gets exactly one known class', () => {
  const judgements: Judgement[] = [
    { kind: 'candidate' },
    { kind: 'truncated' },
    { kind: 'rejected' },
    { kind: 'aborted', byUs: false },
    { kind: 'interrupted' },
    { kind: 'not-started', message: 'no sign of a start' },
    { kind: 'loop' },
    failed(''),
  ];
  for (const judgement of judgements) {
    const { class: of, cause } = turnFailure({ judgement });
    expect(FAILURE_CLASSES).toContain(of);
    expect(cause.class).toBe(of);
  }
});
