// A slice on a canvas: the picture, and the structures' contours as paths that are made once for each slice.
import { type Contour, cssColor, type DrawnStructure } from './contours';
import { onSlice, type Slice } from './geometry';

const FILL_ALPHA = 0.18;
const LINE_PX = 1.75;

export class ContourPaths {
  private paths = new Map<number, Map<number, Path2D>>();

  constructor(
    private readonly slices: readonly Slice[],
    private readonly contours: readonly Map<number, Contour[]>[],
  ) {}

  /** Paths in pixels of the image, by ROI Number. */
  of(index: number): Map<number, Path2D> {
    let paths = this.paths.get(index);
    const slice = this.slices[index];
    if (!paths && slice) {
      paths = new Map();
      for (const [number, contours] of this.contours[index] ?? []) paths.set(number, pathOf(slice, contours));
      this.paths.set(index, paths);
    }
    return paths ?? new Map();
  }
}

function pathOf(slice: Slice, contours: readonly Contour[]): Path2D {
  const path = new Path2D();
  for (const contour of contours) {
    const points = onSlice(slice, contour.points);
    const x = (index: number) => points[2 * index] ?? 0;
    const y = (index: number) => points[2 * index + 1] ?? 0;
    if (contour.point_count === 1) {
      path.moveTo(x(0) + 2, y(0));
      path.arc(x(0), y(0), 2, 0, 2 * Math.PI);
      continue;
    }
    path.moveTo(x(0), y(0));
    for (let index = 1; index < contour.point_count; index++) path.lineTo(x(index), y(index));
    if (contour.geometric_type !== 'OPEN_PLANAR' && contour.geometric_type !== 'OPEN_NONPLANAR') path.closePath();
  }
  return path;
}

export interface Scene {
  readonly slice: Slice;
  readonly picture: ImageBitmap | undefined;
  readonly paths: Map<number, Path2D>;
  readonly structures: readonly DrawnStructure[];
  readonly hidden: ReadonlySet<number>;
  readonly filled: boolean;
}

export function draw(context: CanvasRenderingContext2D, scene: Scene): number {
  const { slice, picture, paths, structures, hidden } = scene;
  const { width, height } = context.canvas;
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.fillStyle = '#000';
  context.fillRect(0, 0, width, height);
  if (picture) context.drawImage(picture, 0, 0, width, height);
  const scaleX = width / slice.columns;
  const scaleY = height / slice.rows;
  context.setTransform(scaleX, 0, 0, scaleY, 0, 0);
  context.lineWidth = (LINE_PX * window.devicePixelRatio) / Math.min(scaleX, scaleY);
  context.lineJoin = 'round';
  let drawn = 0;
  for (const structure of structures) {
    const path = paths.get(structure.number);
    if (!path || hidden.has(structure.number)) continue;
    drawn++;
    context.strokeStyle = context.fillStyle = cssColor(structure.color);
    if (scene.filled) {
      context.globalAlpha = FILL_ALPHA;
      // A contour within another is a hole (PS3.3 C.8.8.6.3: the keyhole's even-odd rule).
      context.fill(path, 'evenodd');
      context.globalAlpha = 1;
    }
    context.stroke(path);
  }
  return drawn;
}
