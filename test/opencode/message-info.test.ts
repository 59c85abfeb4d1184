import { describe, expect, it } from 'vitest';
import { serverError } from '../../src/opencode/message-info.ts';

const error = (data: object, name = 'APIError') =>
  serverError({ name, data: { message: 'm', isRetryable: true, ...data } });

describe('an error as the server tells it', () => {
  it('keeps status, the wait that the provider asked for, and its own name of the error', () => {
    const responseBody = '{"error":{"message":"m","type":"tokens","code":"insufficient_quota"}}';
    const responseHeaders = { 'retry-after': '20' };
    expect(error({ statusCode: 429, responseBody, responseHeaders })).toEqual({
      name: 'APIError',
      message: 'm (HTTP status 429)',
      retryable: true,
      status: 429,
      retryAfterMs: 20_000,
      providerCode: 'insufficient_quota',
    });
  });

  it('takes milliseconds where a provider gives them, and the type where it gives no code', () => {
    expect(error({ responseHeaders: { 'retry-after-ms': '1500', 'retry-after': '2' } })?.retryAfterMs).toBe(1_500);
    expect(error({ responseBody: '{"error":{"type":"overloaded_error"}}' })?.providerCode).toBe('overloaded_error');
  });

  it.each([
    ['a page of a gateway', { responseBody: '<html>' }],
    ['a wait told as a date', { responseHeaders: { 'retry-after': 'Mon, 23 Nov 2026 04:57:43 GMT' } }],
    ['a negative wait', { responseHeaders: { 'retry-after': '-1' } }],
    ['headers that are none', { responseHeaders: 'retry-after: 1', responseBody: 7 }],
  ])('makes nothing of %s', (_, data) => {
    expect(error(data)).toEqual({ name: 'APIError', message: 'm', retryable: true });
  });
});
