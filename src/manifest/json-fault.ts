/**
 * Where a text stops being JSON. `JSON.parse` names a position for some faults only, and takes the last of two equal
 * fields without a word; a person who wrote the text wants to hear both.
 */
export interface JsonFault {
  /** From 1. */
  readonly line: number;
  /** From 1, in characters. */
  readonly column: number;
  /** What was expected and what came. */
  readonly message: string;
}

/** Deeper than any manifest; a text that goes deeper is refused before it can exhaust the stack. */
const MAX_DEPTH = 100;

// biome-ignore lint/suspicious/noControlCharactersInRegex: JSON forbids them inside a text.
const STRING = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const SCALAR = /true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const SPACE = /[ \t\n\r]*/y;

class Fault {
  readonly offset: number;
  readonly message: string;

  constructor(offset: number, message: string) {
    this.offset = offset;
    this.message = message;
  }
}

/** The first fault of a text that should be JSON without repeated fields, or undefined. */
export function findJsonFault(text: string): JsonFault | undefined {
  const scan = new Scan(text);
  try {
    scan.whole();
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    const before = text.slice(0, thrown.offset).split('\n');
    return { line: before.length, column: before.at(-1)!.length + 1, message: thrown.message };
  }
}

class Scan {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  whole(): void {
    this.#value(0);
    this.#skip();
    if (this.#at < this.#text.length) this.#expected('nothing more after the end of the value');
  }

  #value(depth: number): void {
    this.#skip();
    if (depth > MAX_DEPTH) throw new Fault(this.#at, `expected at most ${MAX_DEPTH} levels of nesting, got more`);
    const next = this.#text[this.#at];
    if (next === '{') this.#members('}', depth);
    else if (next === '[') this.#members(']', depth);
    else if (next === '"') this.#string();
    else if (this.#take(SCALAR) === undefined) this.#expected('a value');
  }

  /** An object or a list, from its opening bracket on. */
  #members(close: '}' | ']', depth: number): void {
    this.#at++;
    this.#skip();
    const names = new Set<string>();
    let afterComma = false;
    while (afterComma || this.#text[this.#at] !== close) {
      this.#skip();
      if (afterComma && this.#text[this.#at] === close) {
        throw new Fault(this.#at, `expected another entry after the comma, got "${close}"; remove the comma`);
      }
      if (close === '}') this.#name(names);
      this.#value(depth + 1);
      this.#skip();
      afterComma = this.#text[this.#at] === ',';
      if (afterComma) this.#at++;
      else if (this.#text[this.#at] !== close) this.#expected(`"," or "${close}"`);
    }
    this.#at++;
  }

  #name(names: Set<string>): void {
    const start = this.#at;
    if (this.#text[start] !== '"') this.#expected('a field name in double quotes');
    const name = JSON.parse(this.#string()) as string;
    if (names.has(name)) throw new Fault(start, `expected each field once, got "${name}" again; remove one`);
    names.add(name);
    this.#skip();
    if (this.#text[this.#at] !== ':') this.#expected('":"');
    this.#at++;
  }

  #string(): string {
    const start = this.#at;
    const found = this.#take(STRING);
    if (found !== undefined) return found;
    throw new Fault(
      start,
      'expected a text that ends on its line with a double quote, and \\ only before one of "\\/bfnrtu"',
    );
  }

  #skip(): void {
    this.#take(SPACE);
  }

  #take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }

  #expected(what: string): never {
    const got = this.#text[this.#at];
    const hint = got === '/' ? '; JSON has no comments' : got === "'" ? '; JSON knows double quotes only' : '';
    throw new Fault(this.#at, `expected ${what}, got ${got === undefined ? 'the end' : JSON.stringify(got)}${hint}`);
  }
}
