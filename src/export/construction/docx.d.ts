/**
 * The part of `docx` that the exports use. The package's own declarations name their files without extensions, which
 * the module resolution of Node refuses, so that the compiler sees none of them.
 */
declare module 'docx' {
  export const AlignmentType: { readonly CENTER: 'center' };
  export const PageOrientation: { readonly LANDSCAPE: 'landscape' };
  export const PageNumber: { readonly CURRENT: 'CURRENT'; readonly TOTAL_PAGES: 'TOTAL_PAGES' };
  export const ShadingType: { readonly CLEAR: 'clear'; readonly THIN_DIAGONAL_STRIPE: 'thinDiagStripe' };
  export const TableLayoutType: { readonly FIXED: 'fixed' };
  export const TabStopType: { readonly CENTER: 'center'; readonly RIGHT: 'right' };
  export const TextDirection: { readonly BOTTOM_TO_TOP_LEFT_TO_RIGHT: 'btLr' };
  export const VerticalAlign: { readonly CENTER: 'center' };
  export const WidthType: { readonly DXA: 'dxa' };

  interface RunLook {
    readonly bold?: boolean;
    /** RRGGBB. */
    readonly color?: string;
    readonly font?: string;
    /** Half points. */
    readonly size?: number;
  }

  interface ParagraphLook {
    readonly alignment?: string;
    readonly keepNext?: boolean;
    /** Twentieths of a point. */
    readonly spacing?: { readonly before?: number; readonly after?: number };
  }

  interface Shading {
    readonly type: string;
    readonly color: string;
    readonly fill: string;
  }

  export interface IStylesOptions {
    readonly default?: { readonly document?: { readonly run?: RunLook } };
    readonly paragraphStyles?: readonly {
      readonly id: string;
      readonly name: string;
      readonly basedOn?: string;
      readonly run?: RunLook;
      readonly paragraph?: ParagraphLook;
    }[];
  }

  export class TextRun {
    constructor(options: RunLook & { readonly text?: string; readonly children?: readonly string[] });
  }

  export type ParagraphChild = TextRun;

  export class Paragraph {
    constructor(
      options: ParagraphLook & {
        readonly style?: string;
        readonly tabStops?: readonly { readonly type: string; readonly position: number }[];
        readonly children?: readonly ParagraphChild[];
      },
    );
  }

  export interface ITableCellOptions {
    readonly children: readonly Paragraph[];
    readonly columnSpan?: number;
    readonly shading?: Shading;
    readonly textDirection?: string;
    readonly verticalAlign?: string;
  }

  export class TableCell {
    constructor(options: ITableCellOptions);
  }

  export class TableRow {
    constructor(options: {
      readonly children: readonly TableCell[];
      readonly cantSplit?: boolean;
      readonly tableHeader?: boolean;
      readonly height?: { readonly value: number; readonly rule: 'atLeast' };
    });
  }

  export class Table {
    constructor(options: {
      readonly rows: readonly TableRow[];
      readonly alignment?: string;
      readonly layout?: string;
      readonly width?: { readonly size: number; readonly type: string };
      readonly columnWidths?: readonly number[];
      readonly margins?: {
        readonly top: number;
        readonly bottom: number;
        readonly left: number;
        readonly right: number;
        readonly marginUnitType: string;
      };
    });
  }

  export class Header {
    constructor(options: { readonly children: readonly Paragraph[] });
  }

  export class Footer {
    constructor(options: { readonly children: readonly Paragraph[] });
  }

  export class Document {
    constructor(options: {
      readonly title?: string;
      readonly creator?: string;
      readonly styles?: IStylesOptions;
      readonly sections: readonly {
        readonly properties?: {
          readonly page?: {
            /** As for portrait; the orientation turns it. */
            readonly size?: { readonly width: number; readonly height: number; readonly orientation?: string };
            readonly margin?: Readonly<Record<'left' | 'right' | 'top' | 'bottom' | 'header' | 'footer', number>>;
          };
        };
        readonly headers?: { readonly default?: Header };
        readonly footers?: { readonly default?: Footer };
        readonly children: readonly (Paragraph | Table)[];
      }[];
    });
  }

  export const Packer: {
    /** `overrides` replace parts of the archive by their path. */
    toArrayBuffer(
      file: Document,
      prettify?: undefined,
      overrides?: readonly { readonly path: string; readonly data: string }[],
    ): Promise<ArrayBuffer>;
  };
}
