/** The name of a run: sorts by time, is unique in a home, and is safe as a folder name. */

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';

export const RUN_ID = /^\d{8}-\d{6}-[a-z0-9]{6}$/;

/**
 * `20251103-143022-abc123`: UTC time to the second and six random characters.
 * @param random as `Math.random`: at least 0, less than 1.
 */
export function newRunId(clock: { now(): number }, random: () => number): string {
  const [date, time] = new Date(clock.now()).toISOString().replace(/[-:]/g, '').slice(0, 15).split('T');
  const suffix = Array.from({ length: 6 }, () => ALPHABET[Math.floor(random() * ALPHABET.length)]).join('');
  return `${date}-${time}-${suffix}`;
}
