import type { z } from 'zod';
import { judged, term } from './attribute.ts';
import { expected, wrongForm } from './expected.ts';

const ISO = /^\d{4}-\d{2}-\d{2}$/;
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];

function iso(year: number, month: number, day: number): string | undefined {
  const written = `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
  return isCalendarDate(written) ? written : undefined;
}

function isCalendarDate(written: string): boolean {
  if (!ISO.test(written)) return false;
  const moment = new Date(`${written}T00:00:00Z`);
  return !Number.isNaN(moment.getTime()) && moment.toISOString().startsWith(written);
}

/** The ISO date that "14/3/25" or "14 March 2025" means (day before month), or undefined. */
function dateIn(printed: string): string | undefined {
  const numeric = /^(\d{1,2})[/.-](\d{1,2})[/.-](\d{2}|\d{4})$/.exec(printed.trim());
  if (numeric) {
    const year = Number(numeric[3]);
    return iso(year < 100 ? 2000 + year : year, Number(numeric[2]), Number(numeric[1]));
  }
  const named = /^(\d{1,2})(?:st|nd|rd|th)?\s+([a-z]{3})[a-z]*\.?,?\s+(\d{4})$/i.exec(printed.trim());
  if (!named) return undefined;
  const month = MONTHS.indexOf((named[2] ?? '').toLowerCase()) + 1;
  return month === 0 ? undefined : iso(Number(named[3]), month, Number(named[1]));
}

/** A day of the calendar, ISO 8601 `YYYY-MM-DD`. */
export function date(description: string): z.ZodString {
  const what = 'a date written YYYY-MM-DD';
  const shaped = term(what).regex(ISO, {
    error: ({ input }) => {
      const meant = typeof input === 'string' ? dateIn(input) : undefined;
      return typeof input === 'string' && meant !== undefined ? wrongForm(input, meant) : expected(what)({ input });
    },
  });
  return judged(shaped, (value) =>
    isCalendarDate(value) ? undefined : expected('a day of the calendar')({ input: value }),
  ).describe(`${description}, YYYY-MM-DD`);
}
