/** A quote as it is compared and hashed: bold marks removed, white space folded, trimmed. */
export function normaliseQuote(quote: string): string {
  return quote.replaceAll('**', '').replaceAll(/\s+/g, ' ').trim();
}
