import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ERROR_CODES, ensureError, MusterError } from '../src/errors.ts';

const page = readFileSync(join(import.meta.dirname, '../docs/errors.md'), 'utf8');

describe('errors', () => {
  it.each(ERROR_CODES)('%s has its paragraph in docs/errors.md, under the heading of its exit code', (code) => {
    const at = page.indexOf(`**${code}** `);
    expect(at).toBeGreaterThan(0);
    const heading = page
      .slice(0, at)
      .match(/## .*exit code (\d)/g)!
      .at(-1)!;
    expect(heading).toContain(`exit code ${new MusterError(code, '').exitCode}`);
  });

  it('keeps the cause and makes an Error of anything thrown', () => {
    const cause = new Error('below');
    expect(new MusterError('BUG', 'above', { cause }).cause).toBe(cause);
    expect(ensureError('text').message).toBe('text');
    expect(ensureError(cause)).toBe(cause);
  });
});
