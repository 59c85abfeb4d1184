/** The cells of an ITP in Word. */
import { type ITableCellOptions, Paragraph, ShadingType, TableCell, TextDirection, TextRun, VerticalAlign } from 'docx';
import { xmlCharacters } from '../safe-text.ts';
import { STYLE } from './docx-styles.ts';
import { ITP_WIDTHS, type ItpItem } from './itp-item.ts';

type Look = Omit<ITableCellOptions, 'children'>;

/** Columns whose headers read upwards: they are too narrow for a word. */
const TURNED = new Set([6, 9, 10]);
const POINT = 6;

const solid = (fill: string) => ({ type: ShadingType.CLEAR, color: 'auto', fill });
const middle = { verticalAlign: VerticalAlign.CENTER } as const;

export function labelCell(text: string): TableCell {
  return cell(text, STYLE.label, { shading: solid('EDEDED') });
}

export function valueCell(text: string): TableCell {
  return cell(text, STYLE.value);
}

export function headCell(text: string, at: number): TableCell {
  return cell(text, STYLE.head, {
    ...middle,
    shading: solid('D9D9D9'),
    ...(TURNED.has(at) && { textDirection: TextDirection.BOTTOM_TO_TOP_LEFT_TO_RIGHT }),
  });
}

export function bandCell(stage: string, columns: number): TableCell {
  return cell(stage, STYLE.band, { ...middle, columnSpan: columns, shading: solid('BFBFBF') });
}

export function itemCell(item: ItpItem, text: string, at: number): TableCell {
  if (at === POINT) {
    // Hold: white on black; witness: black on grey; both readable without colour.
    if (item.point === 'H') return cell(text, STYLE.point, { ...middle, shading: solid('000000') }, 'FFFFFF');
    return cell(text, STYLE.point, { ...middle, ...(item.point === 'W' && { shading: solid('BFBFBF') }) });
  }
  if (at === ITP_WIDTHS.length - 1 && !item.isAnnounced) {
    const hatched = { type: ShadingType.THIN_DIAGONAL_STRIPE, color: 'A6A6A6', fill: 'FFFFFF' };
    return cell(text, STYLE.body, { shading: hatched });
  }
  return cell(text, STYLE.body);
}

/** One paragraph for each line of the text. */
function cell(text: string, style: string, look: Look = {}, color?: string): TableCell {
  return new TableCell({
    ...look,
    children: text.split('\n').map(
      (line) =>
        new Paragraph({
          style,
          children: [new TextRun({ text: xmlCharacters(line), ...(color !== undefined && { color }) })],
        }),
    ),
  });
}
