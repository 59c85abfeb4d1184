/** What a schema scores: what it says itself, else every entity of a task and every relationship that agents submit. */
import type { MasterSchema } from '../../schemas/define.ts';
import type { Scoring } from '../../schemas/scoring.ts';

export function scoringOf(schema: MasterSchema): Scoring {
  return schema.scoring ?? derived(schema);
}

function derived({ entities, relationships, provenance }: MasterSchema): Scoring {
  return {
    lists: entities
      .filter(({ name, producers }) => {
        const isEvidence = name === provenance?.entity || name === provenance?.sourceEntity;
        return !isEvidence && producers.some(({ task }) => !task.startsWith('@'));
      })
      .map(({ name, key, attributes }) => ({
        name,
        entity: name,
        key: key.slice(1),
        attributes: Object.keys(attributes.shape).filter((attribute) => !key.includes(attribute)),
      })),
    pairs: [
      ...new Set(
        relationships
          .filter(({ type, link, resolution }) => {
            return link === undefined && resolution !== 'late' && type !== provenance?.relationship;
          })
          .map(({ type }) => type),
      ),
    ].map((type) => ({ name: type, pairs: { relationship: type } })),
    owners: [],
  };
}
