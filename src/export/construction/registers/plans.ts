/** The registers of the environmental and the safety plan. */
import type { CellValue } from '../../csv-file.ts';
import { type Site, standingOf, textOf } from '../site.ts';
import { columns, type Table } from '../table.ts';
import { words } from '../words.ts';

export function environmentalAspects(site: Site): Table {
  const rows = site.all('EnvironmentalAspect').map((node): CellValue[] => {
    const get = (name: string) => textOf(node.properties, name);
    return [
      get('aspectNo'),
      get('aspect'),
      get('control'),
      get('residualRisk'),
      get('monitoring'),
      get('legalRef'),
      words(get('responsibleRole')),
      site.source(node),
      standingOf(node),
    ];
  });
  return {
    name: 'Environmental aspects',
    title: 'What the work does to the environment, and the measures',
    columns: columns(
      ['No.', 8],
      ['Aspect', 32],
      ['Control', 46],
      ['Residual risk', 9],
      ['Monitoring', 28],
      ['Legal reference', 26],
      ['Responsible', 18],
      ['Source', 44],
      ['Review', 14],
    ),
    rows,
  };
}

export function safetyHazards(site: Site): Table {
  const rows = site.all('SafetyHazard').map((node): CellValue[] => {
    const get = (name: string) => textOf(node.properties, name);
    return [
      get('hazardNo'),
      get('activity'),
      get('hazard'),
      node.properties['highRiskConstructionWork'] === true ? 'yes' : 'no',
      get('swmsRef'),
      get('controlHierarchy'),
      get('controls'),
      get('residualRisk'),
      site.source(node),
      standingOf(node),
    ];
  });
  return {
    name: 'Safety hazards',
    title: 'Hazards of the work, and the measures',
    columns: columns(
      ['No.', 8],
      ['Activity', 28],
      ['Hazard', 28],
      ['High risk construction work', 13],
      ['SWMS', 12],
      ['Hierarchy', 14],
      ['Controls', 44],
      ['Residual risk', 9],
      ['Source', 44],
      ['Review', 14],
    ),
    rows,
  };
}
