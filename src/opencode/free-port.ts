/** Ports of the loopback interface. */
import { createServer } from 'node:net';
import { MusterError, systemCode } from '../errors.ts';

const HOST = '127.0.0.1';

/**
 * A port that is free now: `wanted`, or any. OpenCode's own `--port 0` is no help, it means 4096 when that is free.
 *
 * @throws MusterError PORT_TAKEN
 */
export function freePort(wanted?: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', (cause) => {
      const what = wanted === undefined ? 'a free port' : `port ${wanted} to be free`;
      const cure = wanted === undefined ? '' : '; choose another --port, or leave it out';
      const message = `expected ${what} on ${HOST}, got ${systemCode(cause) ?? cause.message}${cure}`;
      reject(new MusterError('PORT_TAKEN', message, { cause }));
    });
    probe.listen({ host: HOST, port: wanted ?? 0, exclusive: true }, () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
