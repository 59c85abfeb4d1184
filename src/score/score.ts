/** Scores a graph against the truth: how much was found, how much of what was found is true, what is right of it. */
import type { ScoredList, ScoredPairs, Scoring } from '../../schemas/scoring.ts';
import type { GraphSnapshot } from '../ports.ts';
import { norm } from './compare.ts';
import { type Entry, elementsOf, entriesOf, pairsOf, unscoped } from './findings.ts';
import { type Counts, countsOf, type Ratios, ratiosOf, thousandths } from './ratios.ts';

export interface SetScore extends Ratios {
  readonly name: string;
}

export interface AttributeScore {
  /** Attributes of matched entries whose true value is not null. */
  readonly total: number;
  readonly right: number;
  /** `right / total` to three decimals; null when there is none. */
  readonly attributeAccuracy: number | null;
}

export interface ListScore extends SetScore, AttributeScore {
  /** Extracted entries beyond the first of each key. */
  readonly duplicates: number;
  /** Up to ten lines `key.attribute: extracted != true`. */
  readonly wrong: readonly string[];
  /** Up to ten keys of the truth that were not found. */
  readonly missed: readonly string[];
  /** Up to ten keys that were found and are not true. */
  readonly invented: readonly string[];
}

export interface Score {
  readonly lists: readonly ListScore[];
  readonly pairs: readonly SetScore[];
  readonly owned: readonly SetScore[];
  /** Other ways to count the same; no part of the totals. */
  readonly extra: readonly SetScore[];
  /** Sums over lists, pairs and owned, and the ratios of the sums. */
  readonly totals: Ratios & AttributeScore & { readonly duplicates: number };
}

export interface Truth {
  readonly graph: GraphSnapshot;
  /** Entity → keys (scope left out) of the owners whose parts the truth lists in full; absent = all of the entity. */
  readonly complete?: Readonly<Record<string, readonly (string | number | readonly (string | number)[])[]>>;
}

const LINES = 10;

/** The order of nodes and relationships makes no difference but for entries of one key: the last one counts. */
export function scoreGraph(scoring: Scoring, truth: Truth, extraction: GraphSnapshot): Score {
  const lists = scoring.lists.map((list) => scoreList(list, truth.graph, extraction));
  const pairsNamed = (isExtra: boolean) =>
    scoring.pairs
      .filter(({ extractionFrom }) => (extractionFrom !== undefined) === isExtra)
      .map((pairs) => scorePairs(pairs, truth.graph, extraction));
  const pairs = pairsNamed(false);
  const owned = scoreOwners(scoring, truth, extraction);
  return { lists, pairs, owned, extra: pairsNamed(true), totals: totalsOf(lists, [...lists, ...pairs, ...owned]) };
}

function scoreList(list: ScoredList, truth: GraphSnapshot, extraction: GraphSnapshot): ListScore {
  const entries = entriesOf(extraction, list);
  const wanted = byId(entriesOf(truth, list));
  const found = byId(entries);
  const wrong: string[] = [];
  let right = 0;
  let total = 0;
  for (const [id, { name, properties }] of wanted) {
    const match = found.get(id);
    if (!match) continue;
    for (const attribute of list.attributes) {
      const is = norm(properties[attribute]);
      if (is === null) continue;
      total += 1;
      if (norm(match.properties[attribute]) === is) right += 1;
      else wrong.push(`${name}.${attribute}: ${show(match.properties[attribute])} != ${show(properties[attribute])}`);
    }
  }
  const namesWithout = (some: ReadonlyMap<string, Entry>, others: ReadonlyMap<string, Entry>) =>
    [...some].flatMap(([id, { name }]) => (others.has(id) ? [] : [name])).slice(0, LINES);
  return {
    name: list.name,
    ...ratiosOf(countsOf(new Set(wanted.keys()), new Set(found.keys()))),
    duplicates: entries.length - found.size,
    ...accuracyOf(right, total),
    wrong: wrong.slice(0, LINES),
    missed: namesWithout(wanted, found),
    invented: namesWithout(found, wanted),
  };
}

function scorePairs(
  { name, pairs, extractionFrom }: ScoredPairs,
  truth: GraphSnapshot,
  extraction: GraphSnapshot,
): SetScore {
  return { name, ...ratiosOf(countsOf(pairsOf(truth, pairs), pairsOf(extraction, extractionFrom ?? pairs))) };
}

function scoreOwners({ owners }: Scoring, { graph, complete }: Truth, extraction: GraphSnapshot): SetScore[] {
  return owners.flatMap(({ entity, sets }) => {
    const listed = complete?.[entity]?.map((key) => JSON.stringify([key].flat().map(norm)));
    const idOf = (owner: GraphSnapshot['nodes'][number]) => JSON.stringify(unscoped(owner).map(norm));
    const ownersIn = ({ nodes }: GraphSnapshot) => nodes.filter((node) => node.entity === entity);
    return ownersIn(graph)
      .filter((owner) => listed?.includes(idOf(owner)) ?? true)
      .flatMap((owner) => {
        const same = ownersIn(extraction).findLast((other) => idOf(other) === idOf(owner));
        return sets.map((set) => ({
          name: `${unscoped(owner).join(' ')} ${set.name}`,
          ...ratiosOf(countsOf(elementsOf(graph, owner, set), elementsOf(extraction, same, set))),
        }));
      });
  });
}

function totalsOf(lists: readonly ListScore[], all: readonly Counts[]): Score['totals'] {
  const sum = <Row>(rows: readonly Row[], of: (row: Row) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    ...ratiosOf({
      truth: sum(all, ({ truth }) => truth),
      found: sum(all, ({ found }) => found),
      tp: sum(all, ({ tp }) => tp),
    }),
    duplicates: sum(lists, ({ duplicates }) => duplicates),
    ...accuracyOf(
      sum(lists, ({ right }) => right),
      sum(lists, ({ total }) => total),
    ),
  };
}

function accuracyOf(right: number, total: number): AttributeScore {
  return { right, total, attributeAccuracy: total === 0 ? null : thousandths(right / total) };
}

/** Of entries with one key the last one counts. */
function byId(entries: readonly Entry[]): ReadonlyMap<string, Entry> {
  return new Map(entries.map((entry) => [entry.id, entry]));
}

function show(value: unknown): string {
  return value === undefined || value === null ? 'null' : typeof value === 'string' ? value : JSON.stringify(value);
}
