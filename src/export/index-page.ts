/** A list of the files of an export, as Markdown that a person reads first. */
import type { ExportFile } from './file.ts';

export interface IndexHead {
  /** What was exported: a run, a graph file, a URL without credentials. */
  readonly source: string;
  /** The day, `2025-11-03`. */
  readonly exportedOn: string;
}

/** `index.md`. */
export function indexPage(files: readonly ExportFile[], { source, exportedOn }: IndexHead): ExportFile {
  const rows = files.map(({ path, what }) => `| [${plain(path)}](${encodeURI(path)}) | ${plain(what)} |`);
  return {
    path: 'index.md',
    content: [
      '# Export',
      '',
      `From ${plain(source)}, exported ${plain(exportedOn)}. Made by machine from documents: a draft until a person has reviewed it.`,
      '',
      '| file | what it holds |',
      '| --- | --- |',
      ...rows,
      '',
    ].join('\n'),
    what: 'this list',
  };
}

/** Text of the graph in a table of Markdown: no cell ends early, nothing becomes markup. */
function plain(text: string): string {
  return text.replace(/\s+/g, ' ').replace(/[\\`*_[\]<>|#~!&]/g, (character) => `\\${character}`);
}
