/** The OpenCode server of a run: started or attached to as its options say. */
import type { Endpoint } from '../agent-tools/endpoint.ts';
import type { RunFolder } from '../journal/run-paths.ts';
import type { LoadedManifest } from '../manifest/load.ts';
import { attachServer, type OpenCodeServer, startServer } from '../opencode/server.ts';
import type { ModelServer } from '../rehearsal/model-server.ts';
import type { RunOptions } from './run-options.ts';
import { credentialVariables, type Sources } from './sources.ts';

export interface ServerPorts {
  readonly options: RunOptions;
  readonly loaded: LoadedManifest;
  readonly folder: RunFolder;
  readonly sources: Sources;
  readonly endpoint: Endpoint;
  /** Of a rehearsal. */
  readonly modelServer: ModelServer | undefined;
}

export async function openServer({
  options,
  loaded,
  folder,
  modelServer,
  sources,
}: ServerPorts): Promise<OpenCodeServer> {
  const { server } = options;
  if (server.kind === 'attached') {
    const { url, password } = server;
    return attachServer({ url, workspaceDir: folder.workspace, ...(password !== undefined && { password }) });
  }
  const { binary, configFile, port } = server;
  return startServer({
    mode: modelServer ? 'isolated' : 'user',
    runDir: folder.path,
    workspaceDir: folder.workspace,
    ...(binary !== undefined && { binary }),
    ...(configFile !== undefined && { configFile }),
    ...(port !== undefined && { port }),
    withheld: credentialVariables(loaded.manifest.sources),
    secrets: [...sources.secrets, ...(modelServer ? [modelServer.key] : [])],
    ...(modelServer && { config: modelServer.config as never }),
  });
}

/** Texts that must reach no log. */
export function secretsOf({ endpoint, modelServer, options, sources }: ServerPorts): string[] {
  const password = options.server.kind === 'attached' ? options.server.password : undefined;
  return [endpoint.token, modelServer?.key, password, ...sources.secrets].filter((secret) => secret !== undefined);
}
