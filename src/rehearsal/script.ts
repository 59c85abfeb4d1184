/**
 * The script of a rehearsal: what the scripted model does, instance by instance, call by call.
 *
 * A script is a folder: `rehearsal.json` says how the model behaves, and one file for each instance, named after the
 * instance's folder (`wbs-extraction.json`, `itp-generation.ITP-07.json`), holds its turns. A turn is what the model
 * does between one prompt of muster and the next; a step of a turn is one call of the model. A prompt that goes on with an
 * interrupted turn begins that turn anew.
 */
import { z } from 'zod';

const call = z
  .strictObject({
    /** Tool id as OpenCode offers it: `read`, `muster_submit`. */
    tool: z.string().min(1),
    arguments: z.record(z.string(), z.unknown()).optional(),
    /** Sent as it stands in place of `arguments`, to rehearse a model that writes broken JSON. */
    rawArguments: z.string().optional(),
  })
  .refine((value) => (value.arguments === undefined) !== (value.rawArguments === undefined), {
    message: 'expected either "arguments" (an object) or "rawArguments" (a text)',
  });

const failure = z.strictObject({
  status: z.int().min(400).max(599),
  message: z.string().min(1),
  /** Seconds of the `retry-after` header; absent = no header. */
  retryAfterS: z.number().min(0).max(3600).optional(),
  /** How often this call fails before the next step answers; default 1. */
  times: z.int().min(1).max(1000).default(1),
});

const step = z
  .strictObject({
    /** For people who read the script; never sent. */
    note: z.string().optional(),
    say: z.string().optional(),
    calls: z.array(call).min(1).optional(),
    /** Default `tool-calls` with calls, else `stop`. `none` ends the stream without a finish reason. */
    finish: z.enum(['stop', 'tool-calls', 'length', 'none']).optional(),
    /** The call fails with this answer; takes no assistant message, so the same call is made again. */
    error: failure.optional(),
    /** The stream says what it has to say, then stays open without another byte until the caller leaves. */
    hang: z.literal(true).optional(),
  })
  .superRefine((value, context) => {
    const refuse = (path: string, message: string) => context.addIssue({ code: 'custom', path: [path], message });
    if (value.error !== undefined) {
      for (const other of ['say', 'calls', 'finish', 'hang'] as const) {
        if (value[other] !== undefined) refuse(other, 'a step with "error" answers nothing else: make it two steps');
      }
      return;
    }
    if (value.hang && value.finish !== undefined) refuse('finish', 'a step that hangs never finishes');
    if (value.say === undefined && !value.calls && value.finish === undefined && !value.hang) {
      refuse('say', 'expected at least one of "say", "calls", "finish", "error", "hang"');
    }
  });

const turns = z.array(z.array(step).min(1)).min(1);

/** One file of a script: what the model does for one instance. */
export const instanceScriptSchema = z
  .strictObject({
    instance: z.string().min(1),
    /** The same in every attempt: the work prompt, then each repair prompt. */
    turns: turns.optional(),
    /** One entry for each attempt (each fresh session); the last is repeated. */
    attempts: z.array(z.strictObject({ turns })).min(1).optional(),
  })
  .refine((value) => (value.turns === undefined) !== (value.attempts === undefined), {
    message: 'expected either "turns" or "attempts"',
  })
  .transform((value) => ({ instance: value.instance, attempts: value.attempts ?? [{ turns: value.turns ?? [] }] }));

/** `rehearsal.json`: how the scripted model behaves. A folder with `extends` leaves out what stays the same. */
export const rehearsalSchema = z.strictObject({
  name: z.string().min(1),
  description: z.string().min(1),
  /** Project id of the rehearsal; default `REHEARSAL`. */
  project: z.string().min(1).optional(),
  /** Another script folder, relative to this one, whose files count where this folder has none. */
  extends: z.string().min(1).optional(),
  /** Name of the model, under the provider `rehearsal`; default `scripted`. */
  model: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]*$/, 'expected lower case letters, digits, dots and hyphens')
    .optional(),
  pace: z
    .strictObject({
      /** Time before the first byte of each answer. */
      perCallMs: z.int().min(0).max(60_000),
      /** Time between two chunks of an answer. */
      perChunkMs: z.int().min(0).max(10_000),
    })
    .optional(),
  /** What each call claims to have used; fixed, so that two rehearsals report the same. */
  tokensPerCall: z.strictObject({ input: z.int().min(0), output: z.int().min(0) }).optional(),
  /** Price list of the model, per million tokens, so that a report shows a cost. */
  pricePerMillion: z.strictObject({ input: z.number().min(0), output: z.number().min(0) }).optional(),
});

export type RehearsalFile = z.infer<typeof rehearsalSchema>;
export type Step = z.infer<typeof step>;
export type ScriptedCall = z.infer<typeof call>;
export type InstanceScript = z.infer<typeof instanceScriptSchema>;

/** A whole script, with what it extends taken in and defaults filled in. */
export interface Rehearsal {
  readonly name: string;
  readonly description: string;
  readonly project: string;
  readonly model: string;
  readonly pace: { readonly perCallMs: number; readonly perChunkMs: number };
  readonly tokensPerCall: { readonly input: number; readonly output: number };
  readonly pricePerMillion: { readonly input: number; readonly output: number };
  /** By instance id. */
  readonly instances: ReadonlyMap<string, InstanceScript>;
}

export const REHEARSAL_DEFAULTS = {
  project: 'REHEARSAL',
  model: 'scripted',
  pace: { perCallMs: 250, perChunkMs: 4 },
  tokensPerCall: { input: 6_000, output: 400 },
  pricePerMillion: { input: 1, output: 5 },
} as const;

/** Folder and file name of an instance: `itp-generation[ITP-07]` → `itp-generation.ITP-07`. */
export function instanceFileName(instance: string): string {
  const parts = /^([^[]+)\[(.*)\]$/s.exec(instance);
  return parts ? `${escapeName(parts[1]!)}.${escapeName(parts[2]!)}` : escapeName(instance);
}

function escapeName(text: string): string {
  return Array.from(new TextEncoder().encode(text), (byte) => {
    const character = String.fromCharCode(byte);
    return /[A-Za-z0-9._-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }).join('');
}
