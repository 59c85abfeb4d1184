/** What of a domain is scored against a truth, and by which names; see docs/scoring.md. */

/** Entities that are found or not, by key, and the attributes that are right or wrong of those found. */
export interface ScoredList {
  readonly name: string;
  readonly entity: string;
  /** Only nodes with these attribute values. */
  readonly where?: Readonly<Record<string, string>>;
  /** Attributes that make the key, scope left out. */
  readonly key: readonly string[];
  readonly attributes: readonly string[];
}

/** Pairs of keys: the ends of a relationship, or a node and each element of an attribute that holds a list of keys. */
export type PairSource =
  | { readonly relationship: string }
  | { readonly entity: string; readonly listAttribute: string };

export interface ScoredPairs {
  readonly name: string;
  readonly pairs: PairSource;
  /** Where the extraction's pairs come from instead. Such a figure is shown, and no part of the totals. */
  readonly extractionFrom?: PairSource;
}

/** One part of an element; `exact` compares as written, `norm` without regard to case and white space. */
export interface ScoredPart {
  readonly attribute: string;
  readonly compare: 'norm' | 'exact';
}

/** What hangs below one node, as a set of tuples. */
export interface ScoredSet {
  readonly name: string;
  /** Relationships to follow from the owner, each in its own direction. */
  readonly along: readonly string[];
  /** Only nodes with these attribute values. */
  readonly where?: Readonly<Record<string, string>>;
  readonly element: readonly ScoredPart[];
  /** Leaves out elements of which every part is absent; default false. */
  readonly skipEmpty?: boolean;
}

/** Owners of the truth whose parts are scored, each owner by itself. */
export interface ScoredOwner {
  readonly entity: string;
  readonly sets: readonly ScoredSet[];
}

export interface Scoring {
  readonly lists: readonly ScoredList[];
  readonly pairs: readonly ScoredPairs[];
  readonly owners: readonly ScoredOwner[];
}
