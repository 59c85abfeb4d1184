/** The import floors of ARCHITECTURE.md, as data; a breach names the file, the import and the rule. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const ROOT = resolve(import.meta.dirname, '..');

/** First match wins. A room is a folder whose files may import one another. */
const ROOMS: readonly (readonly [prefix: string, floor: number])[] = [
  ['schemas/', 0],
  ['src/errors.ts', 0],
  ['src/redact.ts', 0],
  ['src/ports.ts', 1],
  ['src/plan/', 1],
  ['src/schema/', 1],
  ['src/policy/', 1],
  ['src/resume/', 1],
  ['src/fingerprint/', 1],
  ['src/output/', 1],
  ['src/report/', 1],
  ['src/snapshot/', 1],
  ['src/cypher/', 1],
  ['src/rules/', 1],
  ['src/export/', 1],
  ['src/score/', 1],
  ['machines/', 2],
  ['src/opencode/', 3],
  ['src/graph/', 3],
  ['src/journal/', 3],
  ['src/agent-tools/', 3],
  ['src/rehearsal/', 3],
  ['src/workspace/', 3],
  ['src/convert/', 3],
  ['src/manifest/', 3],
  ['src/logs/', 3],
  ['src/run/', 4],
  ['src/cli/', 5],
  ['inspector/', 5],
];
/** Below this floor: no I/O, no clock, no chance. */
const FIRST_IMPURE_FLOOR = 3;
/** Floor 1 and floor 5 are one house each; adapters (floor 3) never look sideways. */
const SIDEWAYS = new Set([0, 1, 2, 4, 5]);
/** Packages that the pure floors may use. */
const PURE_PACKAGES = new Set(['zod', 'xstate', 'approx-string-match', 'docx', 'fastest-levenshtein', 'hucre']);

const room = (file: string) => ROOMS.find(([prefix]) => file.startsWith(prefix));

function sources(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return sources(path);
    return /\.ts$/.test(entry.name) ? [path] : [];
  });
}

const files = ['schemas', 'src', 'machines', 'inspector'].flatMap(sources);
const importsOf = (file: string): string[] => {
  const text = readFileSync(join(ROOT, file), 'utf8');
  const statements = [
    ...text.matchAll(/^(?:import|export)\b[^;]*?\bfrom\s*'([^']+)'/gm),
    ...text.matchAll(/^import\s*'([^']+)'/gm),
    ...text.matchAll(/\bimport\(\s*'([^']+)'\s*\)/g),
  ];
  return statements.map((match) => match[1]!);
};
const graph = new Map(
  files.map((file) => [
    file,
    importsOf(file).map((name) => (name.startsWith('.') ? relative(ROOT, resolve(ROOT, dirname(file), name)) : name)),
  ]),
);

describe('the floors of the house', () => {
  it('every source file has a room', () => {
    expect(files.filter((file) => !room(file))).toEqual([]);
    expect(files.length).toBeGreaterThan(50);
  });

  it('a file imports its own room and lower floors only, never sideways between adapters', () => {
    const breaches = files.flatMap((file) => {
      const [own, floor] = room(file) ?? ['', 0];
      return graph
        .get(file)!
        .filter((name) => room(name))
        .filter((name) => {
          const [other, otherFloor] = room(name)!;
          return otherFloor > floor || (otherFloor === floor && other !== own && !SIDEWAYS.has(floor));
        })
        .map((name) => `${file} imports ${name}`);
    });
    expect(breaches).toEqual([]);
  });

  it('below the adapters there is no I/O, no clock and no chance', () => {
    const breaches = files
      .filter((file) => (room(file)?.[1] ?? 0) < FIRST_IMPURE_FLOOR)
      .flatMap((file) => {
        const text = readFileSync(join(ROOT, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
        const impure = [
          ...text.matchAll(
            /\b(fetch\(|Date\.now|new Date\(\)|Math\.random|console\.|process\.|setTimeout|setInterval)/g,
          ),
        ].map((m) => m[1]!);
        const foreign = graph.get(file)!.filter((name) => !room(name) && !PURE_PACKAGES.has(name.split('/')[0]!));
        return [...impure, ...foreign].map((what) => `${file}: ${what}`);
      });
    expect(breaches).toEqual([]);
  });

  it('no file imports itself through others', () => {
    const done = new Set<string>();
    const cycles: string[] = [];
    const visit = (file: string, path: readonly string[]): void => {
      if (path.includes(file)) {
        cycles.push([...path.slice(path.indexOf(file)), file].join(' → '));
        return;
      }
      if (done.has(file)) return;
      for (const next of graph.get(file) ?? []) if (graph.has(next)) visit(next, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
    expect(cycles).toEqual([]);
  });
});
