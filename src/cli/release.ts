/** `muster release`: a person lets work go on that waits for it. */
import { type DecideOptions, decide } from './decide.ts';

interface ReleaseCommand extends DecideOptions {
  readonly reason?: string;
}

export async function release(run: string, point: string, options: ReleaseCommand): Promise<void> {
  const { reason } = options;
  await decide(run, point, options, (meant, by) => ({
    point: meant,
    kind: 'released',
    by,
    ...(reason !== undefined && { reason }),
  }));
}
