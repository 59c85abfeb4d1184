/** Stands in for src/opencode/server-process.ts: the process is the simulated server. */
import { type StartedProcess, universe } from '../universe.ts';

export function startServerProcess(options: {
  readonly environment: Readonly<Record<string, string>>;
}): Promise<StartedProcess> {
  return universe().life.answer(() => universe().startServerProcess(options.environment));
}
