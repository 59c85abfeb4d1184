import fc from 'fast-check';
import { expect, it } from 'vitest';
import { REDACTED, redact, redactText } from '../src/redact.ts';

const SECRET = 'hunter2-S3cr3tValue';

it.each([
  ['http://opencode:hunter2-S3cr3tValue@127.0.0.1:4096/session', 'http://[redacted]@127.0.0.1:4096/session'],
  ['bolt+s://neo4j:hunter2-S3cr3tValue@graph.example:7687', 'bolt+s://[redacted]@graph.example:7687'],
  ['Authorization: Bearer hunter2-S3cr3tValue', 'Authorization: [redacted]'],
  ['{"authorization":"Basic hunter2-S3cr3tValue"}', '{"authorization":"[redacted]"}'],
  ['got header Bearer hunter2-S3cr3tValue of', 'got header Bearer [redacted] of'],
  ['Basic aHVudGVyMi1TM2NyM3RWYWx1ZQ==', 'Basic [redacted]'],
  ['password=hunter2-S3cr3tValue&x=1', 'password=[redacted]&x=1'],
  ['NEO4J_PASSWORD="hunter2-S3cr3tValue two"', 'NEO4J_PASSWORD=[redacted]'],
  ['ANTHROPIC_API_KEY=hunter2-S3cr3tValue node', 'ANTHROPIC_API_KEY=[redacted] node'],
  ['{"apiKey": "hunter2-S3cr3tValue", "model": "m"}', '{"apiKey": [redacted], "model": "m"}'],
  ['"{\\"token\\":\\"hunter2-S3cr3tValue\\",\\"a\\":1}"', '"{\\"token\\":[redacted]\\",\\"a\\":1}"'],
  ['GET /x?access_token=hunter2-S3cr3tValue', 'GET /x?access_token=[redacted]'],
  ['key sk-ant-api03-abcdefghijklmnop1234 used', 'key [redacted] used'],
  ['ghp_abcdefghijklmnopqrstuvwxyz0123456789', REDACTED],
  ['eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abc-def', REDACTED],
  ['-----BEGIN RSA PRIVATE KEY-----\nMIIE\nabc\n-----END RSA PRIVATE KEY----- after', '[redacted] after'],
])('takes the secret out of %s', (text, expected) => {
  expect(redactText(text)).toBe(expected);
  expect(redactText(expected)).toBe(expected);
});

it.each([
  'See https://example.org/a@b and mail to someone@example.org',
  'Basic requirements of the works; bearer certificates are filed',
  'ITP-07 hold point at WBS 5.1: token of acceptance',
  'inputTokens: 12, tokens: 4096, passwordless',
  'secretary of the board = chair',
  'a task-list and risk-assessment-of-the-works',
])('leaves ordinary text alone: %s', (text) => {
  expect(redactText(text)).toBe(text);
});

it('takes whole fields out by their name, whatever their shape, and leaves counts alone', () => {
  expect(
    redact({
      password: SECRET,
      server: { 'X-Api-Key': [SECRET], accessToken: { value: SECRET }, url: `http://u:${SECRET}@h/` },
      headers: new Map([['Authorization', SECRET]]),
      usage: { inputTokens: 5, tokens: { input: 1 } },
      token: null,
      hasPassword: true,
    }),
  ).toEqual({
    password: REDACTED,
    server: { 'X-Api-Key': REDACTED, accessToken: REDACTED, url: `http://${REDACTED}@h/` },
    headers: { Authorization: REDACTED },
    usage: { inputTokens: 5, tokens: { input: 1 } },
    token: null,
    hasPassword: true,
  });
});

it('takes secrets out of messages, stacks, fields and causes of errors', () => {
  const cause = Object.assign(new Error(`refused http://u:${SECRET}@h/`), { password: SECRET });
  const error = new Error(`cannot reach http://u:${SECRET}@h/`, { cause });
  const text = JSON.stringify(redact({ error }));
  expect(text).not.toContain(SECRET);
  expect(text).toContain('cannot reach http://[redacted]@h/');
  expect(text).toContain('refused http://[redacted]@h/');
});

it('takes out literal secrets in any place and in their encoded forms', () => {
  const odd = 'p"ä ss/word';
  const value = { [odd]: odd, text: `a ${odd} b ${encodeURIComponent(odd)} c ${JSON.stringify({ odd })}` };
  const text = JSON.stringify(redact(value, [odd, 'abc']));
  expect(text).not.toContain('ss/word');
  expect(text).not.toContain(encodeURIComponent(odd));
  expect(redactText('abc', ['abc'])).toBe('abc');
});

it('does not change the value it is given, and survives cycles and depth', () => {
  const value: Record<string, unknown> = { password: SECRET, list: [1n, new Uint8Array(3)] };
  value.self = value;
  let deep: unknown = SECRET;
  for (let level = 0; level < 10_000; level += 1) deep = [deep];
  value.deep = deep;
  expect(redact(value)).toMatchObject({ password: REDACTED, list: ['1', '[3 bytes]'], self: '[circular]' });
  expect(value.password).toBe(SECRET);
});

it('a literal secret never survives, wherever it stands', () => {
  const secret = fc.string({ minLength: 6, maxLength: 20 }).filter((text) => !REDACTED.includes(text));
  fc.assert(
    fc.property(secret, fc.json(), fc.string(), (one, json, around) => {
      const placed = { a: around + one + around, [one]: [one, { b: json.replaceAll(' ', one) }] };
      const walk = (value: unknown): string[] =>
        typeof value === 'string'
          ? [value]
          : typeof value === 'object' && value !== null
            ? Object.entries(value).flatMap(([name, item]) => [name, ...walk(item)])
            : [];
      for (const text of walk(redact(placed, [one]))) {
        expect(text.replaceAll(REDACTED, '\u0000')).not.toContain(one);
      }
    }),
  );
});

it('needs time in proportion to the text, also when the text is hostile', () => {
  for (const piece of [
    'a.',
    'http://',
    'Bearer ',
    'password=',
    '-----BEGIN PRIVATE KEY-----',
    '"token":"',
    'eyJaaaaaaaaaaa.',
    '\\',
    'authorization ',
  ]) {
    const text = piece.repeat(Math.ceil(400_000 / piece.length));
    const start = performance.now();
    redactText(text);
    expect(performance.now() - start, piece).toBeLessThan(2_000);
  }
});
