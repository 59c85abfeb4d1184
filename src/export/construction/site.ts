/** The graph of one project, looked up by entity, key and relationship. */
import type { Properties } from '../../../schemas/define.ts';
import { type GraphNode, type GraphSnapshot, type NodeKey, nodeId } from '../../ports.ts';
import { byKey, byText } from '../natural-order.ts';
import { UNSURE_BELOW, words } from './words.ts';

/** A passage that supports a node. */
export interface Passage {
  readonly sourcePath: string;
  readonly locator: string;
  readonly quote: string;
  /** Attribute that it supports; empty for the whole node. */
  readonly attribute: string;
}

export class Site {
  readonly projectId: string;
  readonly project: Properties;
  readonly #byEntity = new Map<string, GraphNode[]>();
  readonly #byId: ReadonlyMap<string, GraphNode>;
  readonly #out = new Map<string, GraphNode[]>();
  readonly #in = new Map<string, GraphNode[]>();

  /** Only what belongs to `projectId`. */
  constructor(graph: GraphSnapshot, projectId: string) {
    const own = graph.nodes.filter(({ key }) => key[0] === projectId).sort((a, b) => byKey(a.key, b.key));
    this.projectId = projectId;
    for (const node of own) push(this.#byEntity, node.entity, node);
    this.#byId = new Map(own.map((node) => [nodeId(node), node]));
    this.project = this.all('Project')[0]?.properties ?? {};
    for (const { type, from, to } of graph.relationships) {
      const [source, target] = [this.#byId.get(nodeId(from)), this.#byId.get(nodeId(to))];
      if (!source || !target) continue;
      push(this.#out, `${type} ${nodeId(from)}`, target);
      push(this.#in, `${type} ${nodeId(to)}`, source);
    }
    for (const ends of [...this.#out.values(), ...this.#in.values()]) {
      ends.sort((a, b) => byText(a.entity, b.entity) || byKey(a.key, b.key));
    }
  }

  /** In key order. */
  all(entity: string): readonly GraphNode[] {
    return this.#byEntity.get(entity) ?? [];
  }

  get(entity: string, ...key: readonly (string | number)[]): GraphNode | undefined {
    return this.#byId.get(nodeId({ entity, key: [this.projectId, ...key] }));
  }

  /** What the node points at, in key order. */
  to(node: NodeKey, type: string): readonly GraphNode[] {
    return this.#out.get(`${type} ${nodeId(node)}`) ?? [];
  }

  /** What points at the node, in key order. */
  from(node: NodeKey, type: string): readonly GraphNode[] {
    return this.#in.get(`${type} ${nodeId(node)}`) ?? [];
  }

  passages(node: NodeKey): Passage[] {
    return this.to(node, 'EVIDENCED_BY').map(({ properties }) => ({
      sourcePath: textOf(properties, 'sourcePath'),
      locator: textOf(properties, 'locator'),
      quote: textOf(properties, 'quote'),
      attribute: textOf(properties, 'attribute'),
    }));
  }

  /** Where the node stands in the documents: "path, place; …". */
  source(node: NodeKey): string {
    return this.passages(node)
      .map(({ sourcePath, locator }) => `${sourcePath}, ${locator}`)
      .join('; ');
  }

  /** The contract's word for a role: a superintendent prints as what the contract calls that party. */
  role(code: string): string {
    const known = new Set(this.all('Party').map(({ properties }) => properties['contractRole']));
    if (code === 'principals-authorised-person') return PRINCIPALS_PERSON;
    if (code === 'contractor-nominee') return "Contractor's nominee";
    if (code !== 'superintendent' || known.has('superintendent')) return words(code);
    if (known.has('administrator')) return 'Administrator';
    return known.has('principals-authorised-person') ? PRINCIPALS_PERSON : words(code);
  }

  /** Legal names of the parties with one of the roles. */
  parties(...roles: readonly string[]): string {
    return this.all('Party')
      .filter(({ properties }) => roles.includes(String(properties['contractRole'])))
      .map(({ properties }) => textOf(properties, 'name'))
      .join('; ');
  }
}

const PRINCIPALS_PERSON = "Principal's Authorised Person";

function push(map: Map<string, GraphNode[]>, key: string, node: GraphNode): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [node]);
  else list.push(node);
}

/** The attribute as text; empty when absent, a list joined by `; `. */
export function textOf(properties: Properties, name: string): string {
  const value = properties[name];
  return value === undefined || value === null ? '' : Array.isArray(value) ? value.join('; ') : String(value);
}

/** The attribute as a number, or null. */
export function numberOf(properties: Properties, name: string): number | null {
  const value = properties[name];
  return typeof value === 'number' ? value : null;
}

export function listOf(properties: Properties, name: string): readonly string[] {
  const value = properties[name];
  return Array.isArray(value) ? value.map(String) : [];
}

/** "†" for an assumed node, "‡" for one below the confidence at which people look. */
export function marksOf({ properties }: GraphNode): string {
  const confidence = properties['confidence'];
  const unsure = typeof confidence === 'number' && confidence < UNSURE_BELOW;
  return `${properties['assumed'] === true ? '†' : ''}${unsure ? '‡' : ''}`;
}

/** For a register: "assumed; unreviewed", "unsure (0.4); accepted". */
export function standingOf(node: GraphNode): string {
  const marks = marksOf(node);
  return [
    marks.includes('†') && 'assumed',
    marks.includes('‡') && `unsure (${node.properties['confidence']})`,
    reviewOf(node),
  ]
    .filter(Boolean)
    .join('; ');
}

/** What a person said of the node: "unreviewed" when nothing. */
export function reviewOf({ properties }: GraphNode): string {
  return textOf(properties, 'reviewStatus') || 'unreviewed';
}
