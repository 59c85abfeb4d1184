import type { MasterSchema } from '../../schemas/define.ts';
import { isStorable, mayBeAbsent } from './attribute-kind.ts';
import { didYouMean, type Place } from './finding.ts';

/** The attributes that every entity has: none that an agent must write, none twice. */
export function lintCommon({ scope, common }: MasterSchema, here: Place): void {
  for (const [name, value] of Object.entries(common.agent.shape)) {
    const at = `.agent.${name}`;
    if (!mayBeAbsent(value)) {
      here.error(`every row would have to hold "${name}". Make it optional, or give it a default.`, at);
    }
    if (!isStorable(value)) {
      here.error('expected a text, number, boolean, enumeration or a flat list of these. Change its type.', at);
    }
    if (name === scope || common.engine.includes(name)) {
      const whose = name === scope ? 'the scope' : 'an attribute that the engine writes';
      here.error(`"${name}" is ${whose} and cannot be the agent's too. Remove it on one side.`, at);
    }
  }
}

/** Passages and sources: the entities, relationships and the attribute that the engine is told to use exist. */
export function lintProvenance(schema: MasterSchema, here: Place): void {
  const { provenance, entities, relationships, common } = schema;
  if (!provenance) return;
  const names = entities.map(({ name }) => name);
  for (const part of ['entity', 'sourceEntity'] as const) {
    const name = provenance[part];
    if (names.includes(name)) continue;
    here.error(
      `expected an entity, got "${name}".${didYouMean(name, names)} Correct it, or add the entity.`,
      `.${part}`,
    );
  }
  const edge = (part: 'relationship' | 'inSource', matches: (from: string, to: string) => boolean, form: string) => {
    const type = provenance[part];
    if (relationships.some((one) => one.type === type && matches(one.from, one.to))) return;
    here.error(`expected the relationship ${form}, and there is none. Declare it, or correct its type.`, `.${part}`);
  };
  const { entity, sourceEntity } = provenance;
  edge('relationship', (from, to) => to === entity && from !== entity, `* ${provenance.relationship} ${entity}`);
  edge(
    'inSource',
    (from, to) => from === entity && to === sourceEntity,
    `${entity} ${provenance.inSource} ${sourceEntity}`,
  );
  const shared = Object.keys(common.agent.shape);
  if (!shared.includes(provenance.assumedAttribute)) {
    here.error(
      `expected an attribute of common.agent (${shared.join(', ')}), got "${provenance.assumedAttribute}". Add it as a boolean with default false.`,
      '.assumedAttribute',
    );
  }
}
