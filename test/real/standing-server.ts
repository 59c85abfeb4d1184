/** An OpenCode server with the scripted model behind it, started by hand as a user would, for muster to attach to. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { findBinary } from '../../src/opencode/binary.ts';
import { type ServerProcessOptions, startServerProcess } from '../../src/opencode/server-process.ts';
import { loadRehearsal } from '../../src/rehearsal/load-rehearsal.ts';
import { startModelServer } from '../../src/rehearsal/model-server.ts';
import type { Rehearsal } from '../../src/rehearsal/script.ts';
import { systemClock } from '../../src/run/system-clock.ts';
import { ROOT } from './muster-process.ts';

export const EXAMPLE = join(ROOT, 'examples/road-upgrade');
export const PASSWORD = 'open-sesame';

export interface StandingServer {
  readonly url: string;
  /** As `--model` names it. */
  readonly model: string;
  /** For the server and for muster. */
  readonly environment: Readonly<Record<string, string>>;
  /** Ends it at once; its store stays. */
  kill(): Promise<void>;
  /** Starts it again at its address, with what it had stored. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Everything it writes stays in `base`. */
export async function startStandingServer(base: string, pace?: Partial<Rehearsal['pace']>): Promise<StandingServer> {
  const rehearsal = await loadRehearsal(join(EXAMPLE, 'rehearsal'));
  const model = await startModelServer({ ...rehearsal, pace: { ...rehearsal.pace, ...pace } }, systemClock);
  const folders = Object.fromEntries(
    ['home', 'data', 'config', 'cache', 'state'].map((name) => [name, join(base, name)]),
  );
  for (const folder of Object.values(folders)) mkdirSync(folder, { recursive: true });
  const environment = {
    PATH: process.env['PATH'] ?? '',
    HOME: folders['home']!,
    npm_config_offline: 'true',
    OPENCODE_DISABLE_MODELS_FETCH: '1',
    OPENCODE_SERVER_PASSWORD: PASSWORD,
  };
  const options: ServerProcessOptions = {
    binary: (await findBinary()).path,
    cwd: base,
    logFile: join(base, 'opencode.log'),
    secrets: [],
    environment: {
      ...environment,
      XDG_DATA_HOME: folders['data']!,
      XDG_CONFIG_HOME: folders['config']!,
      XDG_CACHE_HOME: folders['cache']!,
      XDG_STATE_HOME: folders['state']!,
      OPENCODE_CONFIG_CONTENT: JSON.stringify(model.config),
    },
  };
  let server = await startServerProcess(options);
  const { url } = server;
  return {
    url,
    model: model.model,
    environment,
    kill: () => server.stop(0),
    start: async () => {
      server = await startServerProcess({ ...options, port: Number(new URL(url).port) });
    },
    stop: async () => {
      await server.stop();
      await model.close();
    },
  };
}
