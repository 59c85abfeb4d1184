import { z } from 'zod';
import { judged } from './attribute.ts';
import { expected, show, wrongForm } from './expected.ts';

/** Words that stand where somebody still has to write something. */
const PLACEHOLDER =
  /^(?:tb[acdn]|n\/?a|unknown|not (?:stated|specified|applicable|available|known)|to be (?:confirmed|advised|determined|agreed|defined|provided)|(?:as|refer|refer to|see|per|as per) (?:the )?(?:spec(?:ification)?s?|contract|drawings?)|as (?:required|specified|necessary|applicable|directed)|lorem ipsum.*|insert here.*|[-–—.?…]+)[.!]?$/i;

/** True for "TBC", "as required", "see specification" and their like, standing alone. */
export function isPlaceholder(value: string): boolean {
  return PLACEHOLDER.test(value.trim().replace(/\s+/g, ' '));
}

interface TextBounds {
  /** Fewest characters; default 1. */
  readonly min?: number;
  /** Most characters; default 1000. */
  readonly max?: number;
  /** Words that say nothing when they stand alone in this attribute; compared without case. */
  readonly refuse?: readonly string[];
  /** What should stand there instead, for the message. */
  readonly instead?: string;
}

/** Words written for people: not blank, no white space around them, no placeholder. */
export function text(description: string, { min = 1, max = 1000, refuse = [], instead }: TextBounds = {}): z.ZodString {
  const what = `text of ${min}-${max} characters`;
  const empty = new Set(refuse.map((word) => word.toLowerCase()));
  const bounded = z
    .string({ error: expected(what) })
    .min(min, { error: expected(what) })
    .max(max, { error: expected(what) });
  return judged(bounded, (value) => {
    const bare = value.trim();
    if (bare === '') return expected(what)({ input: value });
    if (isPlaceholder(bare) || empty.has(bare.toLowerCase())) {
      return `${show(value)} says nothing by itself; expected ${instead ?? 'what the source says'}`;
    }
    return bare === value ? undefined : wrongForm(value, bare);
  }).describe(description);
}

/** A longer text in Markdown; white space around it is allowed. `min` characters or more, at most 100 000. */
export function markdown(description: string, { min = 1 }: { readonly min?: number } = {}): z.ZodString {
  const what = `Markdown of at least ${min} characters`;
  const bounded = z
    .string({ error: expected(what) })
    .min(min, { error: expected(what) })
    .max(100_000, { error: () => 'expected at most 100000 characters' });
  return judged(bounded, (value) => {
    if (value.trim() === '') return expected(what)({ input: value });
    return isPlaceholder(value) ? `${show(value)} is a placeholder; expected the text` : undefined;
  }).describe(description);
}
