/**
 * Finds out how an instance goes on that an earlier process began: what its files hold, what the server knows of its
 * session, and then what src/resume decides.
 */
import type { OpenedSession, ResumedStart } from '../../machines/task-ports.ts';
import type { InstanceRef } from '../../schemas/run-event.ts';
import { NO_USAGE, type Usage } from '../../schemas/session-event.ts';
import { MusterError } from '../errors.ts';
import type { Frame } from '../opencode/frames.ts';
import type { SessionReading } from '../opencode/known-session.ts';
import type { Publication } from '../output/publication.ts';
import type { KnownAttempt, KnownInstance } from '../resume/known-run.ts';
import { type ResumeStep, resumeStep } from '../resume/resume-step.ts';
import { callsFile, publicationFile, readPublication } from './attempt-files.ts';
import { readCalls } from './call-log.ts';
import type { DurableDesk } from './durable-desk.ts';

export interface TakenUp {
  readonly start: ResumedStart;
  /** What a commit writes that does not come from this attempt's own file. */
  readonly publication?: Publication;
  /** What was read of the session, for its tracker: its usage counts on, and a turn that still runs is judged by it. */
  readonly frames: readonly Frame[];
  /** Of the turn that still runs. */
  readonly messageId?: string;
}

/** What the table of open attempts lends. */
export interface TakeUpHost {
  /** A fresh desk for the session, bound to it; its log of calls goes on behind `keepBytes`. */
  desk(attempt: number, session: OpenedSession, keepBytes: number | undefined): DurableDesk;
}

/** Each instance by the first that knows it. */
export function firstThatKnows(known: ReadonlyMap<string, unknown>, first: TakeUp, second: TakeUp): TakeUp {
  return (instance, host) => (known.has(instance.id) ? first : second)(instance, host);
}

export type TakeUp = (instance: InstanceRef, host: TakeUpHost) => Promise<TakenUp>;

export interface TakeUpPorts {
  readonly known: ReadonlyMap<string, KnownInstance>;
  readonly work: string;
  readonly readSession: (apiSessionId: string, messageId: string | undefined) => Promise<SessionReading>;
  readonly abort: (apiSessionId: string) => Promise<void>;
  /** Whether what it is made from has changed since its attempt began; absent when nothing has. */
  readonly isOutdated?: (instance: InstanceRef) => Promise<boolean>;
}

const GONE: SessionReading = { server: { kind: 'gone' }, frames: [], usage: NO_USAGE };

/** @throws whatever reading the session or the staged work threw; the session is told to stop before */
export function takeUpFrom(ports: TakeUpPorts): TakeUp {
  return async (ref, host) => {
    const instance = ports.known.get(ref.id);
    if (!instance) throw new MusterError('BUG', `expected ${ref.id} to have been begun, got no trace of it`);
    try {
      return await takeUpKnown(instance, host, ports);
    } catch (error) {
      const session = instance.attempt?.session;
      // What follows gets a session of its own: this one, left alone, would go on beside it and spend.
      if (session) await ports.abort(session.apiSessionId).catch(() => {});
      throw error;
    }
  };
}

async function takeUpKnown(
  instance: KnownInstance,
  host: TakeUpHost,
  { work, readSession, abort, isOutdated: ask }: TakeUpPorts,
): Promise<TakenUp> {
  const { ref, attempt: last } = instance;
  const publication =
    last?.commitStarted === true ? await readPublication(publicationFile(work, ref.id, last.attempt)) : undefined;
  const isOutdated = publication === undefined && (await ask?.(ref)) === true;
  // What the commit was to write decides alone; its session is read for its usage only.
  const handedIn =
    publication || isOutdated || !last?.session ? NOTHING : await staged(last, last.session, ref, work, host);
  const session = last?.session;
  const read = session ? readSession(session.apiSessionId, last?.messageId) : Promise.resolve(GONE);
  const reading = await (publication ? read.catch(() => GONE) : read);
  const step = resumeStep(instance, {
    publication: publication !== undefined,
    ...handedIn,
    isOutdated,
    server: reading.server,
  });
  // Its work cannot be taken up: left alone, it would go on and spend.
  if (step.kind === 'new-attempt' && session && reading.server.kind === 'busy') await abort(session.apiSessionId);
  return {
    start: startOf(step, ref, session, reading.usage),
    frames: reading.frames,
    ...(step.kind === 'join' && { messageId: step.messageId }),
  };
}

const NOTHING = { replayed: false, complete: false };

/** Repeats the accepted calls on a fresh desk, and reviews what they stage. */
async function staged(
  { attempt }: KnownAttempt,
  session: OpenedSession,
  ref: InstanceRef,
  work: string,
  host: TakeUpHost,
): Promise<{ readonly replayed: boolean; readonly complete: boolean }> {
  const logged = await readCalls(callsFile(work, ref.id, attempt));
  if (!logged) return NOTHING;
  const desk = host.desk(attempt, session, logged.bytes === 0 ? undefined : logged.bytes);
  const replayed = await desk.replay(logged.calls);
  return { replayed, complete: replayed && (await desk.review()).complete };
}

function startOf(step: ResumeStep, ref: InstanceRef, session: OpenedSession | undefined, usage: Usage): ResumedStart {
  switch (step.kind) {
    case 'done':
      throw new MusterError('BUG', `expected ${ref.id} to be open, it ended ${step.outcome.kind}`);
    case 'commit-again':
      return { step: 'commit-again', attempt: step.attempt, usage };
    case 'new-attempt':
      return { step: 'new-attempt', attempt: step.attempt, ...(step.previous && { previous: step.previous }) };
    case 'take':
    case 'join':
    case 'continue': {
      if (!session) throw new MusterError('BUG', `expected a session to take up ${ref.id} in, got none`);
      const { attempt, turn, repair } = step;
      return {
        step: step.kind,
        attempt,
        turn,
        repair,
        session,
        usage,
        ...(step.kind === 'take' && { judgement: step.judgement }),
      };
    }
  }
}
