// Curves of different bins on one axis of dose, in percent of each structure's volume.
import type { Dvh } from '../api/models';

const POINTS = 300;

export interface DvhRow {
  dose: number;
  [structure: `s${number}`]: number;
}

export function dvhRows(structures: Dvh['structures']): DvhRow[] {
  const curves = structures.flatMap(({ number, curve }) => (curve?.cumulative[0] ? [{ number, curve }] : []));
  const last = Math.max(0, ...curves.map(({ curve }) => curve.bin_width * (curve.cumulative.length - 1)));
  if (last === 0) return [];
  return Array.from({ length: POINTS + 1 }, (_, index) => {
    const row: DvhRow = { dose: (last * index) / POINTS };
    for (const { number, curve } of curves) {
      const at = row.dose / curve.bin_width;
      const bin = Math.floor(at);
      const here = curve.cumulative[bin] ?? 0;
      const next = curve.cumulative[bin + 1] ?? 0;
      row[`s${number}`] = (100 * (here + (next - here) * (at - bin))) / (curve.cumulative[0] ?? 1);
    }
    return row;
  });
}
