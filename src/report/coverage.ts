/** How much of each document the graph's passages stand in, and which sections nobody cited. */
import { checkPassage, type Passage } from '../output/check-passage.ts';
import { overlaps, type SourceText, unitsOf } from '../output/source-text.ts';
import type { TaskContext } from '../output/task-context.ts';

export interface SectionRecord {
  readonly locator: string;
  /** Headings above it, outermost first, or the sheet of rows. */
  readonly under: readonly string[];
}

/** What a run keeps of a document: enough to say later what of it was cited. */
export interface DocumentRecord {
  readonly path: string;
  readonly pageCount?: number;
  readonly textQuality?: string;
  readonly warnings: readonly string[];
  /** Empty for a document without text. */
  readonly sections: readonly SectionRecord[];
}

export interface DocumentCoverage {
  readonly path: string;
  readonly sections: number;
  readonly cited: number;
  readonly uncited: readonly SectionRecord[];
  readonly warnings: readonly string[];
}

/** The sections of a text that are counted; places in {@link citedUnits} refer to this order. */
export function sectionRecords(source: SourceText): readonly SectionRecord[] {
  return unitsOf(source).map(({ locator, kind, path }) => ({
    locator,
    under: kind === 'heading' ? path.slice(0, -1) : [],
  }));
}

/** The sections that passages stand in, each at the place its locator names: path → places from 0, rising. */
export function citedUnits(
  texts: ReadonlyMap<string, SourceText>,
  passages: readonly Passage[],
): Readonly<Record<string, readonly number[]>> {
  const cited = new Map<string, Set<number>>();
  const context: Pick<TaskContext, 'sources' | 'sourceText'> = { sources: [], sourceText: (path) => texts.get(path) };
  for (const passage of passages) {
    const source = texts.get(passage.source);
    const checked = source && checkPassage(context, passage);
    if (!checked || !('match' in checked)) continue;
    const { from, to } = checked.match;
    const places = cited.get(passage.source) ?? new Set<number>();
    cited.set(passage.source, places);
    for (const [i, unit] of unitsOf(source).entries()) if (overlaps(unit, from, to)) places.add(i);
  }
  return Object.fromEntries([...cited].map(([path, places]) => [path, [...places].sort((a, b) => a - b)]));
}

/** Coverage in the order of the documents; places that a document does not have are passed over. */
export function coverageOf(
  documents: readonly DocumentRecord[],
  cited: Readonly<Record<string, readonly number[]>>,
): readonly DocumentCoverage[] {
  return documents.map(({ path, sections, warnings }) => {
    const places = new Set(Object.hasOwn(cited, path) ? cited[path] : []);
    const uncited = sections.filter((_, i) => !places.has(i));
    return { path, sections: sections.length, cited: sections.length - uncited.length, uncited, warnings };
  });
}
