/** Runs a TypeScript script of the tests in a process of its own: several writers, and writers that are killed. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface CompiledScript {
  /** The JavaScript file for `node`. */
  readonly file: string;
  remove(): void;
}

/** Compiles one script and what it imports; `script` is relative to the project. Inside node_modules so that packages are found. */
export function compileScript(script: string): CompiledScript {
  const folder = join(ROOT, 'node_modules', '.cache', 'muster-test', `${basename(script, '.ts')}-${process.pid}`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const config = {
    extends: join(ROOT, 'tsconfig.json'),
    compilerOptions: { noEmit: false, noCheck: true, outDir: join(folder, 'out'), rootDir: ROOT },
    include: [],
    files: [join(ROOT, script)],
  };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  const compiler = join(ROOT, 'node_modules', '.bin', 'tsc');
  const done = spawnSync(compiler, ['-p', folder], { encoding: 'utf8' });
  if (done.status !== 0) throw new Error(`${script} does not compile: ${done.stdout}${done.stderr}`);
  return {
    file: join(folder, 'out', script.replace(/\.ts$/, '.js')),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export interface RunningScript {
  readonly process: ChildProcess;
  /** Lines of standard output as they come; ends with the process. */
  readonly lines: AsyncIterable<string>;
  /** How it ended; standard error for the message of a failed expectation. */
  readonly ended: Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>;
}

/** `env` is added to this process's own environment. */
export function runScript(
  file: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): RunningScript {
  const child = spawn(process.execPath, [file, ...args], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, ...env },
  });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = new Promise<{ code: number | null; signal: NodeJS.Signals | null; stderr: string }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal, stderr }));
  });
  return { process: child, lines: createInterface({ input: child.stdout }), ended };
}

/** A process that ended but was not collected yet is not alive. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
