/** The person who looks at hold points: releases them after a while, now and then refuses once, by a file as the command does. */
import type { Faults } from './faults.ts';
import type { Line } from './observer.ts';
import type { SeededRandom } from './random.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { VirtualTime } from './virtual-time.ts';

export interface PersonPorts {
  readonly time: VirtualTime;
  readonly random: SeededRandom;
  readonly faults: Faults;
  readonly disk: SimulatedDisk;
}

export class Person {
  readonly #ports: PersonPorts;
  #decisions = 0;

  constructor(ports: PersonPorts) {
    this.#ports = ports;
  }

  /** Hears each line of the journal in `path`. */
  hear(line: Line, path: string): void {
    if (line.type !== 'hold.opened') return;
    const { time, random } = this.#ports;
    time.after(random.between(500, 90_000), () => this.#decide(String(line['point']), String(line['when']), path));
  }

  #decide(point: string, when: string, path: string): void {
    const { disk, faults } = this.#ports;
    const folder = `${path.slice(0, path.lastIndexOf('/'))}/decisions`;
    disk.makeFolder(folder, true);
    this.#decisions += 1;
    const name = `${folder}/${String(this.#decisions).padStart(6, '0')}.json`;
    const isRejected = when === 'after' && faults.strikes('hold-rejected', point);
    const decision = isRejected
      ? { point, kind: 'rejected', by: 'Ada', reason: 'Look at the second one again.' }
      : { point, kind: 'released', by: 'Ada' };
    disk.place(name, `${JSON.stringify(decision)}\n`);
  }
}
