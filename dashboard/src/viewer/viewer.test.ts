import { expect, test } from 'vitest';
import { contoursBySlice, type DrawnStructure, decodeContours } from './contours';
import { type ListedInstance, onSlice, sliceAt, stackOf } from './geometry';

const instance = (z: number, changes: Record<string, string> = {}): ListedInstance => ({
  ID: `instance-${z}`,
  IndexInSeries: null,
  MainDicomTags: {
    SOPInstanceUID: `1.2.${z}`,
    ImageOrientationPatient: '1\\0\\0\\0\\1\\0',
    ImagePositionPatient: `-100\\-50\\${z}`,
    PixelSpacing: '2\\0.5',
    Rows: '100',
    Columns: '400',
    ...changes,
  },
});

const stack = stackOf([9, 0, 3, 6].map((z) => instance(z)));

test('slices are sorted along the normal, whatever the order in which they come', () => {
  expect(stack.slices.map(({ position }) => position)).toEqual([0, 3, 6, 9]);
  expect(stack.reach).toBe(1.5);
});

test('a position belongs to the nearest slice within half a spacing', () => {
  expect([0, 1.4, 1.6, 9, 10.4].map((z) => sliceAt(stack, z))).toEqual([0, 0, 1, 3, 3]);
  expect([-2, 11].map((z) => sliceAt(stack, z))).toEqual([-1, -1]);
});

test('Pixel Spacing gives rows first, and the origin is the centre of a pixel', () => {
  const [slice] = stack.slices;
  expect(slice && [...onSlice(slice, [-100, -50, 0, -99, -46, 0])]).toEqual([0.5, 0.5, 2.5, 2.5]);
});

test('a sagittal series is followed along its own normal', () => {
  const sagittal = stackOf(
    [20, 10].map((x) =>
      instance(0, { ImageOrientationPatient: '0\\1\\0\\0\\0\\-1', ImagePositionPatient: `${x}\\0\\0` }),
    ),
  );
  expect(sagittal.normal.map(Math.abs)).toEqual([1, 0, 0]);
  const [slice] = sagittal.slices;
  expect(slice && [...onSlice(slice, [10, 5, -4])]).toEqual([10.5, 2.5]);
});

test('images that do not say where they lie keep the order of their numbers', () => {
  const unplaced = [2, 1].map((number) =>
    instance(number, { ImagePositionPatient: '', InstanceNumber: String(number) }),
  );
  expect(stackOf(unplaced).slices.map(({ instance: id }) => id)).toEqual(['instance-1', 'instance-2']);
});

function packed(structures: object[], points: number[]): ArrayBuffer {
  let header = JSON.stringify({ structures });
  header = header.padEnd(Math.ceil(header.length / 4) * 4);
  const buffer = new ArrayBuffer(16 + header.length + 4 * points.length);
  const view = new DataView(buffer);
  view.setUint32(0, 0x52544643);
  view.setUint32(4, 1, true);
  view.setUint32(8, header.length, true);
  view.setUint32(12, points.length / 3, true);
  new Uint8Array(buffer, 16).set(new TextEncoder().encode(header));
  new Float32Array(buffer, 16 + header.length).set(points);
  return buffer;
}

test('each contour gets its own points, and lies on its slice', () => {
  const contour = { geometric_type: 'CLOSED_PLANAR', position_mm: 0, hole: false, point_count: 3 };
  const structures = decodeContours(
    packed(
      [{ number: 4, name: 'PTV', color: null, plane_normal: [0, 0, 1], contours: [contour, contour] }],
      [0, 0, 3, 1, 0, 3, 0, 1, 3, 0, 0, 9, 1, 0, 9, 0, 1, 9],
    ),
  );
  expect([...(structures[0]?.contours[1]?.points ?? [])].slice(0, 3)).toEqual([0, 0, 9]);
  expect(contoursBySlice(structures, stack).map((on) => on.get(4)?.length ?? 0)).toEqual([0, 1, 0, 1]);
});

test('contours of other planes than the images are left out', () => {
  const structure: DrawnStructure = {
    number: 1,
    name: 'sagittal',
    color: null,
    interpreted_type: null,
    plane_normal: [1, 0, 0],
    contours: [
      { geometric_type: 'CLOSED_PLANAR', position_mm: 0, hole: false, point_count: 1, points: new Float32Array(3) },
    ],
  };
  expect(contoursBySlice([structure], stack).every((on) => on.size === 0)).toBe(true);
});

test('another format or version is refused', () => {
  expect(() => decodeContours(new ArrayBuffer(4))).toThrow('not flat contours');
});
