// From "what arrived on which day" to "how much was held on each day".
import type { Statistics } from '../api/models';

export interface HeldOn {
  day: string;
  instances: number;
}

/** One entry per day of the period, today last; it ends at what is held now. */
export function growthOver(statistics: Statistics, days: number, today: Date): HeldOn[] {
  const arrived = new Map(statistics.growth.map((entry) => [entry.day.slice(0, 10), entry.instances]));
  const held: HeldOn[] = [];
  let instances = statistics.instances;
  for (let back = 0; back <= days; back++) {
    const day = new Date(today.getTime() - back * 86_400_000).toISOString().slice(0, 10);
    held.unshift({ day, instances: Math.max(instances, 0) });
    instances -= arrived.get(day) ?? 0;
  }
  return held;
}
