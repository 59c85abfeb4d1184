/** How cells look on a sheet that is printed in black and white as well. */
import type { CellStyle } from 'hucre/xlsx';

const FONT = 'Arial';
const thin = { style: 'thin', color: { rgb: '808080' } } as const;
const BORDER = { top: thin, right: thin, bottom: thin, left: thin } as const;

/** Height of a line of 8 point type, points. */
export const LINE_PT = 10.5;

const font = (more: CellStyle['font'] = {}) => ({ name: FONT, size: 8, ...more });
const solid = (rgb: string) => ({ type: 'pattern', pattern: 'solid', fgColor: { rgb } }) as const;

export const BODY: CellStyle = {
  font: font(),
  border: BORDER,
  // Text, also when a person types over it: 1.10 stays 1.10.
  numFmt: '@',
  alignment: { vertical: 'top', wrapText: true },
};
export const NUMBER: CellStyle = {
  ...BODY,
  numFmt: 'General',
  alignment: { vertical: 'top', horizontal: 'right', indent: 1 },
};
export const CENTRED: CellStyle = { ...BODY, alignment: { vertical: 'center', horizontal: 'center' } };
export const HEAD: CellStyle = {
  font: font({ bold: true }),
  border: BORDER,
  fill: solid('D9D9D9'),
  alignment: { vertical: 'center', horizontal: 'center', wrapText: true },
};
export const HEAD_TURNED: CellStyle = {
  ...HEAD,
  alignment: { vertical: 'center', horizontal: 'center', wrapText: true, textRotation: 90 },
};
export const LABEL: CellStyle = {
  font: font({ bold: true }),
  border: BORDER,
  fill: solid('EDEDED'),
  alignment: { vertical: 'top', wrapText: true },
};
export const BAND: CellStyle = {
  font: font({ bold: true }),
  border: BORDER,
  fill: solid('BFBFBF'),
  alignment: { vertical: 'center' },
};
export const LEGEND_LINE: CellStyle = { font: font({ size: 7 }), alignment: { vertical: 'center', wrapText: true } };
/** Hold: white on black; witness: black on grey; both readable without colour. */
export const HOLD: CellStyle = {
  ...CENTRED,
  font: font({ bold: true, size: 10, color: { rgb: 'FFFFFF' } }),
  fill: solid('000000'),
};
export const WITNESS: CellStyle = { ...CENTRED, font: font({ bold: true, size: 10 }), fill: solid('BFBFBF') };
export const POINT: CellStyle = { ...CENTRED, font: font({ bold: true }) };
/** A cell that nobody signs. */
export const HATCHED: CellStyle = {
  ...BODY,
  fill: { type: 'pattern', pattern: 'lightUp', fgColor: { rgb: 'A6A6A6' }, bgColor: { rgb: 'FFFFFF' } },
};
export const LINK: CellStyle = { ...BODY, font: font({ underline: true, color: { rgb: '1F4E79' } }) };

export const DEFAULT_FONT = { name: FONT, size: 8 } as const;
