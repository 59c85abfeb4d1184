/** Names of the paragraph styles; a template of a company gives them its own looks. */
import { AlignmentType, type IStylesOptions } from 'docx';

export const STYLE = {
  label: 'ITPLabel',
  value: 'ITPValue',
  head: 'ITPHead',
  band: 'ITPBand',
  body: 'ITPBody',
  point: 'ITPPoint',
  legend: 'ITPLegend',
  page: 'ITPPage',
} as const;

/** Half points, as Word counts type. */
const BODY = 16;

export const ITP_STYLES: IStylesOptions = {
  default: { document: { run: { font: 'Arial', size: BODY } } },
  paragraphStyles: [
    { id: STYLE.label, name: 'ITP Label', basedOn: 'Normal', run: { bold: true } },
    { id: STYLE.value, name: 'ITP Value', basedOn: 'Normal' },
    {
      id: STYLE.head,
      name: 'ITP Head',
      basedOn: 'Normal',
      run: { bold: true },
      paragraph: { alignment: AlignmentType.CENTER },
    },
    // A band is never the last row of a page.
    { id: STYLE.band, name: 'ITP Band', basedOn: 'Normal', run: { bold: true }, paragraph: { keepNext: true } },
    { id: STYLE.body, name: 'ITP Body', basedOn: 'Normal' },
    {
      id: STYLE.point,
      name: 'ITP Point',
      basedOn: 'Normal',
      run: { bold: true, size: 20 },
      paragraph: { alignment: AlignmentType.CENTER },
    },
    {
      id: STYLE.legend,
      name: 'ITP Legend',
      basedOn: 'Normal',
      run: { size: 14 },
      paragraph: { spacing: { before: 40, after: 40 } },
    },
    { id: STYLE.page, name: 'ITP Page', basedOn: 'Normal' },
  ],
};
