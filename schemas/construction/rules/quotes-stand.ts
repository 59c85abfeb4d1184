import type { CodeRule } from '../../rule.ts';

/** Characters of a quote that a message shows. */
const SHOWN = 120;

export const quotesStand: CodeRule = {
  id: 'Q06',
  severity: 'error',
  group: 'provenance',
  title: 'Every evidence quote occurs in the named file (whitespace-normalised) and the locator is plausible',
  message: 'the quote "{quote}" does not stand in {sourcePath} ({locator})',
  hint: 'quote verbatim; name the right file',
  check: ({ nodes, hasQuote }) =>
    nodes.flatMap(({ entity, properties }) => {
      if (entity !== 'Evidence') return [];
      const { sourcePath, quote, locator } = properties;
      const isPlausible = /\d/.test(String(locator));
      // Undefined: the text is not at hand, and nothing can be said.
      if (isPlausible && hasQuote?.(String(sourcePath), String(quote)) !== false) return [];
      return [{ sourcePath, locator, quote: String(quote).slice(0, SHOWN) }];
    }),
};
