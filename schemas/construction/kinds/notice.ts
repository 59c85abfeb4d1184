/** Notice belongs to the point: there is no period that holds for all. */
import { choice } from './attribute.ts';
import { number } from './number.ts';
import type { Refuse } from './rules.ts';

export function noticeValue() {
  return number('Notice to be given before the point, a number in noticeUnit, as the source states it', '', {
    above: 0,
  });
}

export function noticeUnit() {
  return choice('Unit of noticeValue', ['working-day', 'day', 'hour'], {
    'working days': 'working-day',
    'working day': 'working-day',
    days: 'day',
    hours: 'hour',
    h: 'hour',
  });
}

/** Value and unit go together. `needed` says why a notice must be given, when it must. */
export function noticeRule(
  node: { readonly noticeValue?: number | undefined; readonly noticeUnit?: string | undefined },
  refuse: Refuse<'noticeValue' | 'noticeUnit'>,
  needed?: string,
): void {
  const { noticeValue: value, noticeUnit: unit } = node;
  if (value === undefined && (unit !== undefined || needed !== undefined)) {
    refuse('noticeValue', `missing; expected a number, because ${needed ?? 'noticeUnit is given'}`);
  }
  if (unit === undefined && (value !== undefined || needed !== undefined)) {
    refuse(
      'noticeUnit',
      `missing; expected one of working-day | day | hour, because ${needed ?? 'noticeValue is given'}`,
    );
  }
}
