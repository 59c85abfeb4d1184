/**
 * Brings one directory of a server to the point where sessions may be opened and aborted.
 *
 * The order matters. The providers come first: an abort before they answered poisons the directory or the whole server
 * for good (measured: aborts after a warmed instance did no harm). The tool ids come last: asking for them waits until
 * the tool files are loaded, so that the first prompt does not.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { ensureError, MusterError } from '../errors.ts';
import type { OpenCodeClient } from './client.ts';
import { isJsonObject } from './json-object.ts';
import { nearest } from './nearest.ts';
import { isPoisonAnswer, POISONED } from './poison-watch.ts';
import { RequestError } from './request-error.ts';
import { MUSTER_TOOLS } from './tool-file.ts';
import { isSupportedVersion, SUPPORTED_VERSIONS } from './version.ts';
import { modelName } from './wire.ts';

/** Limits in milliseconds. */
export interface WarmUpLimits {
  /** Until the server answers health; default 30,000. */
  readonly healthMs?: number;
  /** One probe of health; default 2,000. A probe that came too early is never answered. */
  readonly probeMs?: number;
  /** Until the instance is made and tells its providers; default 60,000. */
  readonly providersMs?: number;
  /** Until the tools are loaded; default 180,000: without a registry the server waited 136 s for packages. */
  readonly toolsMs?: number;
}

const DEFAULTS = { healthMs: 30_000, probeMs: 2_000, providersMs: 60_000, toolsMs: 180_000 };
const BETWEEN_PROBES_MS = 100;

/**
 * The server's version.
 *
 * @throws MusterError OPENCODE_VERSION for another version, OPENCODE_REQUEST for a wrong password,
 *   OPENCODE_START when it does not answer in time
 */
export async function checkVersion(client: OpenCodeClient, limits: WarmUpLimits = {}): Promise<string> {
  const { healthMs, probeMs } = { ...DEFAULTS, ...limits };
  const version = await answeringVersion(client, healthMs, probeMs);
  if (isSupportedVersion(version)) return version;
  throw new MusterError(
    'OPENCODE_VERSION',
    `expected an OpenCode server ${SUPPORTED_VERSIONS}, got version ${version}; start a server of a supported version`,
  );
}

async function answeringVersion(client: OpenCodeClient, healthMs: number, probeMs: number): Promise<string> {
  const deadline = performance.now() + healthMs;
  for (;;) {
    try {
      const { version } = await client.health(probeMs);
      return String(version);
    } catch (thrown) {
      const error = ensureError(thrown);
      const isRefused = error instanceof RequestError && error.status !== undefined && error.status < 500;
      if (isRefused) throw error;
      if (performance.now() + BETWEEN_PROBES_MS >= deadline) {
        const message = `expected OpenCode to answer GET /global/health within ${healthMs} ms, got: ${error.message}`;
        throw new MusterError('OPENCODE_START', message, { cause: error, retryable: true });
      }
      await pause(BETWEEN_PROBES_MS);
    }
  }
}

/**
 * Makes the instance of the client's directory and checks that it can run `model` with `agent` and muster's tools.
 * Resolves with the worktree, which permission patterns are relative to.
 *
 * @throws MusterError OPENCODE_CONFIG_INVALID, MODEL_UNKNOWN, AGENT_TOOLS, OPENCODE_REQUEST, OPENCODE_LOST
 */
export async function warmUp(
  client: OpenCodeClient,
  wanted: {
    /** `provider/model`, every one that a task may use. */
    readonly models: readonly string[];
    readonly agent: string;
    /** Called when aborts have become harmless, before the rest is checked. */
    readonly onWarm?: () => void;
  },
  limits: WarmUpLimits = {},
): Promise<{ readonly worktree: string }> {
  const { providersMs, toolsMs } = { ...DEFAULTS, ...limits };
  const { providers } = await providersOf(client, providersMs);
  wanted.onWarm?.();
  for (const model of wanted.models) checkModel(model, providers);

  const agents = (await client.agents()).map(({ name }) => name);
  if (!agents.includes(wanted.agent)) {
    const message = `expected OpenCode's agent "${wanted.agent}", the server has ${agents.join(', ')}; enable it in the OpenCode configuration`;
    throw new MusterError('OPENCODE_CONFIG_INVALID', message);
  }
  const ids = new Set(await client.toolIds(toolsMs));
  const missing = MUSTER_TOOLS.filter((id) => !ids.has(id));
  if (missing.length > 0) {
    throw new MusterError(
      'AGENT_TOOLS',
      `expected the server to load muster's tools from ${client.directory}/.opencode/tool, missing: ${missing.join(', ')}. ` +
        'A server that muster attaches to must run on this machine, see the workspace under the same path, and not ' +
        'have OPENCODE_DISABLE_PROJECT_CONFIG set',
    );
  }
  return { worktree: (await client.path()).worktree };
}

async function providersOf(client: OpenCodeClient, timeoutMs: number) {
  try {
    return await client.providers(timeoutMs);
  } catch (thrown) {
    const error = ensureError(thrown);
    if (!(error instanceof RequestError)) throw error;
    if (error.serverError === 'ConfigInvalidError' || error.serverError === 'ConfigJsonError') {
      throw configInvalid(error);
    }
    if (!isPoisonAnswer(error)) throw error;
    await client.disposeInstance();
    return await client.providers(timeoutMs).catch(stillPoisoned);
  }
}

/** Disposing heals the directory; a server that was poisoned as a whole heals by its end only. */
function stillPoisoned(thrown: unknown): never {
  const cause = ensureError(thrown);
  if (!isPoisonAnswer(cause)) throw cause;
  const message = `${POISONED}, also after it was disposed of; restart the server`;
  throw new MusterError('OPENCODE_LOST', message, { cause, retryable: true });
}

function configInvalid(error: RequestError): MusterError {
  const data = isJsonObject(error.data) ? error.data : {};
  const issues = Array.isArray(data['issues']) ? data['issues'].filter(isJsonObject) : [];
  const told = issues.map((issue) => {
    const path = Array.isArray(issue['path']) ? issue['path'].join('.') : '';
    return `${path}: ${String(issue['message'])}`;
  });
  const source = String(data['path'] ?? 'its configuration');
  const where = source === 'OPENCODE_CONFIG_CONTENT' ? 'the configuration muster passed (--opencode-config)' : source;
  return new MusterError(
    'OPENCODE_CONFIG_INVALID',
    `OpenCode refused ${where}: ${told.join('; ') || error.message}; correct it`,
  );
}

function checkModel(
  model: string,
  providers: readonly { readonly id: string; readonly models: Readonly<Record<string, object>> }[],
): void {
  const { providerId, modelId } = modelName(model);
  const provider = providers.find(({ id }) => id === providerId);
  if (provider === undefined) {
    const names = providers.map(({ id }) => id);
    throw new MusterError(
      'MODEL_UNKNOWN',
      `expected a model as provider/model, got "${model}": OpenCode has no provider "${providerId}" here, it has ` +
        `${names.length === 0 ? 'none' : nearest(providerId, names, 10).join(', ')}. ` +
        'Log in with `opencode auth login`, set the API key of the provider, or name another model with --model',
    );
  }
  if (!Object.hasOwn(provider.models, modelId)) {
    const known = Object.keys(provider.models);
    throw new MusterError(
      'MODEL_UNKNOWN',
      `expected a model of provider "${providerId}", got "${model}"; the nearest of its ${known.length} models: ` +
        nearest(modelId, known)
          .map((id) => `${providerId}/${id}`)
          .join(', '),
    );
  }
}
