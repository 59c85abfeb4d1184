/** `muster reject`: a person does not let work go on; the reason reaches whoever did it. */
import { type DecideOptions, decide } from './decide.ts';

interface RejectCommand extends DecideOptions {
  readonly reason: string;
}

export async function reject(run: string, point: string, options: RejectCommand): Promise<void> {
  await decide(run, point, options, (meant, by) => ({ point: meant, kind: 'rejected', by, reason: options.reason }));
}
