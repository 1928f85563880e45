// Flat float32 contours (docs/rtstruct/contours.md), and which of them lie on which slice.
import { dot, type Stack, sliceAt } from './geometry';

export interface Contour {
  readonly geometric_type: string;
  readonly position_mm: number;
  readonly hole: boolean;
  readonly point_count: number;
  /** x, y, z, x, … : a view into the answer, no copy. */
  readonly points: Float32Array;
}

export interface DrawnStructure {
  readonly number: number;
  readonly name: string;
  readonly color: readonly [number, number, number] | null;
  readonly interpreted_type: string | null;
  readonly plane_normal: readonly [number, number, number] | null;
  readonly contours: readonly Contour[];
}

const MAGIC = 0x52544643; // RTFC
const VERSION = 1;

export function decodeContours(buffer: ArrayBuffer): DrawnStructure[] {
  const view = new DataView(buffer);
  if (buffer.byteLength < 16 || view.getUint32(0) !== MAGIC || view.getUint32(4, true) !== VERSION) {
    throw new Error('These are not flat contours of version 1.');
  }
  const start = 16 + view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 16, start - 16)));
  const points = new Float32Array(buffer, start);
  let position = 0;
  return header.structures.map((structure: DrawnStructure) => ({
    ...structure,
    contours: structure.contours.map((contour) => {
      const own = points.subarray(position, position + 3 * contour.point_count);
      position += 3 * contour.point_count;
      return { ...contour, points: own };
    }),
  }));
}

/** For each slice, the contours of each structure (by ROI Number) that lie on it. */
export function contoursBySlice(structures: readonly DrawnStructure[], stack: Stack): Map<number, Contour[]>[] {
  const slices = stack.slices.map(() => new Map<number, Contour[]>());
  for (const structure of structures) {
    // Drawn on other planes than those of the images: such contours cross a slice in points only.
    if (structure.plane_normal && Math.abs(dot(structure.plane_normal, stack.normal)) < 0.99) continue;
    for (const contour of structure.contours) {
      if (contour.point_count === 0) continue;
      const on = slices[sliceAt(stack, dot(contour.points, stack.normal))];
      if (!on) continue;
      const there = on.get(structure.number);
      if (there) there.push(contour);
      else on.set(structure.number, [contour]);
    }
  }
  return slices;
}

export const cssColor = (color: readonly [number, number, number] | null) =>
  color ? `rgb(${color[0]} ${color[1]} ${color[2]})` : 'rgb(200 200 200)';
