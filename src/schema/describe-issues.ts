/** What Zod found wrong with a declaration, in words for the person who wrote it: expected, got, where, and the cure. */
import type { z } from 'zod';
import { redactText } from '../redact.ts';
import { fieldsAt } from './attribute-kind.ts';
import { didYouMean } from './finding.ts';

type Issue = z.core.$ZodIssue;

const KINDS: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** One line for each problem: `tasks[3].fanOut.over: missing; expected a text`. The error must hold its inputs. */
export function describeIssues(type: z.ZodType, error: z.ZodError): string[] {
  return error.issues.flatMap((issue) => {
    const { path } = issue;
    if (issue.code !== 'unrecognized_keys') return [`${pathText(path)}: ${describe(issue)}`];
    const known = fieldsAt(type, path);
    return issue.keys.map((key) => {
      const cure = didYouMean(key, known) || ` The fields are ${known.join(', ')}.`;
      return `${pathText([...path, key])}: unknown field.${known.length > 0 ? cure : ' Remove it.'}`;
    });
  });
}

function describe(issue: Issue): string {
  const { input } = issue;
  const got = input === undefined ? 'nothing' : show(input);
  switch (issue.code) {
    case 'invalid_type': {
      const kind = KINDS[issue.expected] ?? issue.expected;
      return input === undefined ? `missing; expected ${kind}` : `expected ${kind}, got ${got}`;
    }
    case 'invalid_value': {
      const values = issue.values.map(String);
      return `expected ${values.join(' or ')}, got ${got}.${typeof input === 'string' ? didYouMean(input, values) : ''}`;
    }
    case 'too_small':
      return `expected ${amount(issue.origin, Number(issue.minimum), 'at least', issue.inclusive)}, got ${got}`;
    case 'too_big':
      return `expected ${amount(issue.origin, Number(issue.maximum), 'at most', issue.inclusive)}, got ${got}`;
    default:
      return `${issue.message}, got ${got}`;
  }
}

function amount(origin: string, bound: number, words: string, inclusive = true): string {
  const range = inclusive ? `${words} ${bound}` : `${words === 'at least' ? 'more than' : 'less than'} ${bound}`;
  if (origin === 'string') return bound === 1 ? 'a text that is not empty' : `a text of ${range} characters`;
  if (origin === 'array') return bound === 1 ? 'a list that is not empty' : `a list of ${range} entries`;
  return range;
}

function pathText(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text.replace(/^\./, '') || '(the whole)';
}

/** Longest part of a wrong value that a message repeats. */
const SHOWN = 60;

function show(value: unknown): string {
  if (typeof value === 'function') return 'a function';
  // A secret that stands in the wrong place must not stand in the message as well.
  const text = redactText(JSON.stringify(value) ?? String(value));
  return text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text;
}
