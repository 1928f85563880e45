// Where the slices of a series lie, and where a point of the patient falls on them. Patient coordinates are mm, LPS.

export type Vector = readonly [number, number, number];

export interface Slice {
  readonly instance: string;
  readonly sopInstanceUid: string;
  readonly rows: number;
  readonly columns: number;
  /** Of the centre of the first pixel; null where the image does not say where it lies. */
  readonly origin: Vector | null;
  /** Unit vectors along a row and down a column. */
  readonly alongRow: Vector;
  readonly downColumn: Vector;
  /** Distances between the centres of neighbouring columns and rows, mm. */
  readonly columnSpacing: number;
  readonly rowSpacing: number;
  /** Along the normal of the series, mm. */
  readonly position: number;
  /** Whether the image says how it wants to be shown, Window Center (0028,1050). */
  readonly hasWindow: boolean;
}

export interface Stack {
  readonly slices: readonly Slice[];
  readonly normal: Vector;
  /** Half the usual distance of neighbouring slices, mm: a contour this near belongs to the slice. */
  readonly reach: number;
  readonly frameOfReferenceUid: string;
}

/** One instance as Orthanc lists it. */
export interface ListedInstance {
  ID: string;
  IndexInSeries: number | null;
  MainDicomTags: Record<string, string | undefined>;
  RequestedTags?: Record<string, string | null | undefined>;
}

export const dot = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  (a[0] ?? 0) * (b[0] ?? 0) + (a[1] ?? 0) * (b[1] ?? 0) + (a[2] ?? 0) * (b[2] ?? 0);

const cross = (a: Vector, b: Vector): Vector => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

function numbers(value: string | null | undefined, count: number): number[] | null {
  const parsed = (value ?? '').split('\\').map(Number.parseFloat);
  return parsed.length === count && parsed.every(Number.isFinite) ? parsed : null;
}

const vector = (values: number[] | null, from = 0): Vector | null =>
  values ? [values[from] ?? 0, values[from + 1] ?? 0, values[from + 2] ?? 0] : null;

export function stackOf(instances: readonly ListedInstance[]): Stack {
  const slices = instances.map((instance): Slice => {
    const tag = (name: string) => instance.RequestedTags?.[name] ?? instance.MainDicomTags[name];
    const orientation = numbers(tag('ImageOrientationPatient'), 6);
    const spacing = numbers(tag('PixelSpacing'), 2);
    const origin = orientation ? vector(numbers(tag('ImagePositionPatient'), 3)) : null;
    const alongRow = vector(orientation) ?? [1, 0, 0];
    const downColumn = vector(orientation, 3) ?? [0, 1, 0];
    const number = Number(tag('InstanceNumber') ?? instance.IndexInSeries ?? 0) || 0;
    return {
      instance: instance.ID,
      sopInstanceUid: instance.MainDicomTags.SOPInstanceUID ?? '',
      rows: Number(tag('Rows')) || 0,
      columns: Number(tag('Columns')) || 0,
      origin,
      alongRow,
      downColumn,
      // Pixel Spacing (0028,0030) gives the distance of rows first.
      rowSpacing: spacing?.[0] ?? 1,
      columnSpacing: spacing?.[1] ?? 1,
      hasWindow: Boolean(tag('WindowCenter')),
      position: origin ? dot(origin, cross(alongRow, downColumn)) : number,
    };
  });
  slices.sort((a, b) => a.position - b.position);
  const gaps = slices.slice(1).map((slice, index) => slice.position - (slices[index]?.position ?? 0));
  gaps.sort((a, b) => a - b);
  const usual = gaps.filter((gap) => gap > 1e-3)[Math.floor(gaps.filter((gap) => gap > 1e-3).length / 2)] ?? 2;
  const first = slices[0];
  return {
    slices,
    normal: first ? cross(first.alongRow, first.downColumn) : [0, 0, 1],
    reach: usual / 2,
    frameOfReferenceUid: instances[0]?.MainDicomTags.FrameOfReferenceUID ?? '',
  };
}

/** The index of the slice nearest to a position along the normal; -1 when none is within reach. */
export function sliceAt(stack: Stack, position: number, reach = stack.reach + 1e-3): number {
  const { slices } = stack;
  let low = 0;
  let high = slices.length - 1;
  if (high < 0) return -1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if ((slices[middle]?.position ?? 0) <= position) low = middle;
    else high = middle;
  }
  const distance = (index: number) => Math.abs((slices[index]?.position ?? Number.POSITIVE_INFINITY) - position);
  const nearest = distance(high) < distance(low) ? high : low;
  return distance(nearest) <= reach ? nearest : -1;
}

/** Where points (x, y, z, x, …) fall on a slice: column and row, in pixels from the corner of the image. */
export function onSlice(slice: Slice, points: ArrayLike<number>): Float32Array {
  const { origin, alongRow, downColumn, columnSpacing, rowSpacing } = slice;
  const count = Math.floor(points.length / 3);
  const result = new Float32Array(2 * count);
  const [ox, oy, oz] = origin ?? [0, 0, 0];
  for (let index = 0; index < count; index++) {
    const x = (points[3 * index] ?? 0) - ox;
    const y = (points[3 * index + 1] ?? 0) - oy;
    const z = (points[3 * index + 2] ?? 0) - oz;
    // The origin is the centre of the first pixel, the corner is half a pixel before it.
    result[2 * index] = (x * alongRow[0] + y * alongRow[1] + z * alongRow[2]) / columnSpacing + 0.5;
    result[2 * index + 1] = (x * downColumn[0] + y * downColumn[1] + z * downColumn[2]) / rowSpacing + 0.5;
  }
  return result;
}
