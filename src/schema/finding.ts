import { nearest } from './nearest.ts';

/** What lint says about a schema or a manifest; an error keeps it from running. */
export interface SchemaFinding {
  readonly severity: 'error' | 'warning';
  /** Where: `entities.Part.key`, `relationships (Part IN Assembly).link`, `tasks[2].creates[0]`. */
  readonly at: string;
  /** What was expected, what came, and what to do. */
  readonly message: string;
}

/** Collects findings below one place. */
export interface Place {
  readonly at: string;
  error(message: string, below?: string): void;
  warn(message: string, below?: string): void;
  below(name: string): Place;
}

export function place(findings: SchemaFinding[], at: string): Place {
  const add = (severity: SchemaFinding['severity'], message: string, below: string) => {
    findings.push({ severity, at: at + below, message });
  };
  return {
    at,
    error: (message, below = '') => add('error', message, below),
    warn: (message, below = '') => add('warning', message, below),
    below: (name) => place(findings, at + name),
  };
}

/** ` Did you mean "Part"?` with a leading space, or nothing when no known name is close. */
export function didYouMean(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close === undefined ? '' : ` Did you mean "${close}"?`;
}
