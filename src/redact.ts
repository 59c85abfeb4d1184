/**
 * Takes secrets out of whatever is written for people or to disk. Pure; used by the logs and by every message that
 * may quote a URL, a header or a configuration.
 *
 * A redaction is a net with a mesh: it knows names of fields, shapes of keys, URLs and headers, and the literal secrets
 * it is given. Nothing may be handed to it in the hope that it is complete; secrets stay out of messages to begin with.
 */

export const REDACTED = '[redacted]';

/** Literal secrets shorter than this are not searched for: they would blank ordinary text. */
const MIN_SECRET_LENGTH = 6;

/** Deeper values are cut, so that a hostile object cannot exhaust the stack. */
const MAX_DEPTH = 64;

/** Field names that end so hold a secret; `tokens` (a count) does not. */
const SECRET_NAME =
  /(?:pass[-_]?(?:word|wd|phrase)|secret|api[-_]?key|access[-_]?key|private[-_]?key|authorization|cookie|credentials?|token|bearer)$/i;

/** Without any of these no pattern below can match; spares most texts the nine searches. */
const SUSPECT =
  /@|pass|secret|key|auth|bearer|basic|cookie|credential|token|eyJ|[spr]k-|gh[pousr]_|github_|glpat|xox|AKIA|AIza/i;

const NAME =
  '(?:password|passwd|passphrase|secret|api[_-]?key|access[_-]?key|private[_-]?key|(?:set-)?cookie|credentials?|token)';
const VALUE = `(?:"(?:[^"\\\\\\n]|\\\\.)*"?|'(?:[^'\\\\\\n]|\\\\.)*'?|\\\\+"[^"\\\\\\n]*|[^\\s"'\\\\,;&<>()[\\]{}]+)`;

/** In order; each pattern is bounded or linear, because the text may come from an agent. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]{0,30}PRIVATE KEY-----|$)/g, REDACTED],
  [/\b([a-z][a-z0-9+.-]{0,20}:\/\/)[^\s/?#"'<>\\]{1,512}@/gi, `$1${REDACTED}@`],
  [
    /\b((?:proxy-)?authorization(?:\\*["'])?\s{0,3}[:=]\s{0,3}(?:\\*["'])?)(?:(?:basic|bearer|digest|token)\s{1,3})?[^\s"'\\,;]+/gi,
    `$1${REDACTED}`,
  ],
  [/\b(bearer\s{1,3})(?=[\w.~+/-]{0,200}\d)[\w.~+/-]{12,}=*/gi, `$1${REDACTED}`],
  [/\b(Basic\s{1,3})(?=[A-Za-z0-9+/]{0,200}[\d=])[A-Za-z0-9+/]{8,}=*/g, `$1${REDACTED}`],
  [
    new RegExp(`(${NAME}(?:\\\\*["'])?\\s{0,3}[:=]\\s{0,3})(?!\\[redacted\\]|null\\b|undefined\\b)${VALUE}`, 'gi'),
    `$1${REDACTED}`,
  ],
  [/\beyJ[\w-]{10,}\.[\w-]{10,}(?:\.[\w-]+)?/g, REDACTED],
  [/\b(?:sk|pk|rk)-[\w-]{16,}/g, REDACTED],
  [
    /\b(?:gh[pousr]_\w{20,}|github_pat_\w{20,}|glpat-[\w-]{16,}|xox[a-z]-[\w-]{10,}|AKIA[0-9A-Z]{16}|AIza[\w-]{30,})/g,
    REDACTED,
  ],
];

/** `text` without the secrets it can recognise and without the literal `secrets`. */
export function redactText(text: string, secrets: readonly string[] = []): string {
  let result = text;
  // The longest first: a secret that contains another must not leave its rest behind.
  for (const secret of [...secrets].sort((a, b) => b.length - a.length)) {
    if (secret.length < MIN_SECRET_LENGTH) continue;
    for (const form of new Set([secret, encodeURIComponent(secret), JSON.stringify(secret).slice(1, -1)])) {
      result = result.replaceAll(form, REDACTED);
    }
  }
  if (!SUSPECT.test(result)) return result;
  for (const [pattern, replacement] of PATTERNS) result = result.replace(pattern, replacement);
  return result;
}

/**
 * A copy of `value` without secrets: texts as {@link redactText} does, fields with a secret's name whole. Errors become
 * plain objects with name, message, stack, their own fields and cause; a cycle becomes `[circular]`.
 */
export function redact(value: unknown, secrets: readonly string[] = []): unknown {
  return copy(value, secrets, []);
}

function copy(value: unknown, secrets: readonly string[], above: readonly object[]): unknown {
  if (typeof value === 'string') return redactText(value, secrets);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Date) return value;
  if (value instanceof URL) return redactText(value.href, secrets);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.includes(value)) return '[circular]';
  if (above.length >= MAX_DEPTH) return '[too deep]';
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((item) => copy(item, secrets, path));
  return Object.fromEntries(
    entriesOf(value).map(([name, item]) => [
      redactText(name, secrets),
      isSecret(name, item) ? REDACTED : copy(item, secrets, path),
    ]),
  );
}

function entriesOf(value: object): [string, unknown][] {
  if (value instanceof Map) return [...value].map(([name, item]) => [String(name), item]);
  if (!(value instanceof Error)) return Object.entries(value);
  const { name, message, stack, cause } = value;
  const own = Object.entries(value);
  return [
    ['name', name],
    ['message', message],
    ['stack', stack],
    ...own,
    ...(cause === undefined ? [] : [['cause', cause] as [string, unknown]]),
  ];
}

function isSecret(name: string, item: unknown): boolean {
  if (item === null || item === undefined || item === '' || typeof item === 'boolean') return false;
  return SECRET_NAME.test(name);
}
