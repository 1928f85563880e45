import { expect, test } from 'vitest';
import type { Dvh } from '../api/models';
import { dvhRows } from './dvh-rows';

const structure = (number: number, bin_width: number, cumulative: number[]) =>
  ({ number, curve: { bin_width, volume_unit: 'cm3', cumulative } }) as Dvh['structures'][number];

test('curves of different bins stand on one axis, each in percent of its own volume', () => {
  const rows = dvhRows([structure(1, 1, [10, 10, 5, 0]), structure(2, 3, [200, 0])]);
  expect(rows[0]).toEqual({ dose: 0, s1: 100, s2: 100 });
  expect(rows.at(-1)?.dose).toBe(3);
  const half = rows.find(({ dose }) => Math.abs(dose - 1.5) < 1e-9);
  expect(half?.s1).toBeCloseTo(75);
  expect(half?.s2).toBeCloseTo(50);
});

test('structures without volume have no curve', () => {
  expect(dvhRows([structure(1, 1, [0, 0]), structure(2, 1, [])])).toEqual([]);
});
