import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { MusterError } from '../../src/errors.ts';
import { openAppLog } from '../../src/logs/app-log.ts';

const clock = { now: () => Date.parse('2025-11-03T14:30:22.000Z') };
let dir: string;
let file: string;
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'muster-log-'));
  file = join(dir, 'logs', 'app.jsonl');
  return () => rm(dir, { recursive: true, force: true });
});
const lines = async () =>
  (await readFile(file, 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));

describe('the application log', () => {
  it('writes one JSON object per line from the chosen level on', async () => {
    const { logger, close } = openAppLog(file, { clock, level: 'info' });
    logger.debug('too small');
    logger.info({ instance: 'wbs-extraction' }, 'started');
    close();
    logger.info('after close');
    expect(await lines()).toEqual([
      { level: 'info', time: '2025-11-03T14:30:22.000Z', pid: process.pid, instance: 'wbs-extraction', msg: 'started' },
    ]);
  });

  it('holds no secret: in fields, bindings, messages, URLs, error messages, stacks and causes', async () => {
    const secret = 'hunter2-S3cr3tValue';
    const { logger, close } = openAppLog(file, { clock, secrets: ['literal-secret'] });
    const url = `http://opencode:${secret}@127.0.0.1:4096`;
    const cause = Object.assign(new Error(`refused ${url}`), { headers: { authorization: `Basic ${secret}` } });
    const error = new MusterError('OPENCODE_REQUEST', `cannot reach ${url}`, { cause });
    logger.child({ password: secret }).info(`connect to ${url} with token=${secret} literal-secret`);
    logger.error({ err: error, apiKey: secret, deep: [{ Authorization: `Bearer ${secret}` }] }, 'failed %s', url);
    logger.error({ error }, 'again');
    logger.error(error);
    close();
    const text = await readFile(file, 'utf8');
    expect(text).not.toContain('hunter2');
    expect(text).not.toContain('literal-secret');
    const [, failed, again] = await lines();
    expect(failed.err).toMatchObject({
      code: 'OPENCODE_REQUEST',
      cause: { message: 'refused http://[redacted]@127.0.0.1:4096' },
    });
    expect(again.error.stack).toContain('cannot reach http://[redacted]@127.0.0.1:4096');
  });

  it('says when it cannot be opened', async () => {
    await writeFile(join(dir, 'logs'), '');
    expect(() => openAppLog(file, { clock })).toThrow(/Cannot write the log/);
  });

  it.runIf(process.platform === 'linux')('a full disk is told once and does not stop the caller', () => {
    const errors: MusterError[] = [];
    const { logger, close } = openAppLog('/dev/full', { clock, onError: (error) => errors.push(error) });
    logger.info('one');
    logger.info('two');
    close();
    expect(errors.map((error) => error.code)).toEqual(['DISK_FULL']);
  });
});
