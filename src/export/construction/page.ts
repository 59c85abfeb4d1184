/** What stands on every page of an issued sheet, whatever it shows. */
import type { HeaderFooter, PageSetup } from 'hucre';
import { xmlCharacters } from '../safe-text.ts';

export interface PageWords {
  readonly left: string;
  readonly middle: string;
  readonly right: string;
  /** Day of the export, `2025-11-03`. */
  readonly exportedOn: string;
}

export const UNCONTROLLED = 'Uncontrolled when printed';

/** Excel takes at most 255 characters in a header, codes included. */
const LONGEST_PART = 70;

/** Characters across a sheet that can be read when they are fitted to A4; wider ones go on A3. */
const WIDEST_A4 = 225;

/** Landscape, one page wide, as many pages long as it takes. Margins in inches: 10-12 mm. */
export function pageSetup(printTitlesRow: string, width = 0): PageSetup {
  return {
    paperSize: width > WIDEST_A4 ? 'a3' : 'a4',
    orientation: 'landscape',
    fitToPage: true,
    fitToWidth: 1,
    fitToHeight: 0,
    margins: { left: 0.4, right: 0.4, top: 0.75, bottom: 0.6, header: 0.35, footer: 0.3 },
    printTitlesRow,
    horizontalCentered: true,
  };
}

export function headerFooter({ left, middle, right, exportedOn }: PageWords): HeaderFooter {
  return {
    oddHeader: `&L${plain(left)}&C&B${plain(middle)}&B&R${plain(right)}`,
    oddFooter: `&L${UNCONTROLLED}&CExported ${plain(exportedOn).trim()}&RPage &P of &N`,
  };
}

/** `&` is a code in a header and is doubled; a part that begins with digits would be taken for a size of type. */
function plain(text: string): string {
  const line = xmlCharacters(text).replace(/\s+/g, ' ').trim();
  const short = line.length > LONGEST_PART ? `${line.slice(0, LONGEST_PART - 1)}…` : line;
  return `${/^\d/.test(short) ? ' ' : ''}${short.replaceAll('&', '&&')}`;
}
