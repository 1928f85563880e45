import { expect, test } from 'vitest';
import type { Statistics } from '../api/models';
import { growthOver } from './growth';

test('growth ends at what is held now and steps on the days of arrival', () => {
  const statistics = {
    instances: 130,
    growth: [
      { day: '2026-03-01', studies: 1, instances: 30, size_bytes: 0 },
      { day: '2026-03-03', studies: 1, instances: 100, size_bytes: 0 },
    ],
  } as Statistics;
  const held = growthOver(statistics, 3, new Date('2026-03-03T10:00:00Z'));
  expect(held.map((entry) => entry.instances)).toEqual([0, 30, 30, 130]);
  expect(held.at(-1)?.day).toBe('2026-03-03');
});
