/** Stands in for `node:http`: what listens, listens on the simulated network. */
import type { Listener } from '../network.ts';
import { universe } from '../universe.ts';

export function createServer(listener: Listener): object {
  let port = 0;
  return {
    keepAliveTimeout: 0,
    once: () => {},
    listen(_port: number, _host: string, done: () => void) {
      port = universe().network.listen(listener);
      done();
    },
    address: () => ({ port }),
    close(done: () => void) {
      universe().network.unlisten(port);
      done();
    },
    closeAllConnections: () => {},
  };
}
