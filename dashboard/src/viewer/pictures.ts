// The pictures of a series: fetched once, nearest to the shown slice first, decoded off the main thread, few kept decoded.
import { client } from '../api/client';
import type { Slice } from './geometry';

export interface Window {
  readonly center: number;
  readonly width: number;
}

/** Decoded pictures weigh a megabyte each; fetched ones ten kilobytes. */
const KEPT_DECODED = 60;
const PARALLEL = 4;

export class Pictures {
  private fetched = new Map<number, Promise<Blob>>();
  private decoded = new Map<number, ImageBitmap>();
  private decoding = new Map<number, Promise<ImageBitmap>>();
  private stop = new AbortController();
  private center = 0;
  private running = 0;

  constructor(
    private readonly slices: readonly Slice[],
    private readonly window: Window | null,
    private readonly onPicture: (index: number) => void,
    private readonly onFailure: (error: unknown) => void,
  ) {}

  /** The picture if it is here; else it is on its way, and `onPicture` tells when it has come. */
  at(index: number): ImageBitmap | undefined {
    const picture = this.decoded.get(index);
    if (picture) {
      this.decoded.delete(index);
      this.decoded.set(index, picture);
    } else {
      this.decode(index).catch((error) => {
        if (!this.stop.signal.aborted) this.onFailure(error);
      });
    }
    return picture;
  }

  /** Fetches what is around a slice, and in the end everything. */
  around(index: number): void {
    this.center = index;
    for (let step = 1; step <= 4; step++) {
      for (const near of [index + step, index - step]) {
        if (near >= 0 && near < this.slices.length) void this.decode(near).catch(() => {});
      }
    }
    this.fetchOn();
  }

  close(): void {
    this.stop.abort();
    for (const picture of this.decoded.values()) picture.close();
    this.decoded.clear();
  }

  private fetchOn(): void {
    while (this.running < PARALLEL) {
      const next = this.nextMissing();
      if (next === -1 || this.stop.signal.aborted) return;
      this.running++;
      this.fetch(next)
        .catch(() => {})
        .finally(() => {
          this.running--;
          this.fetchOn();
        });
    }
  }

  private nextMissing(): number {
    for (let step = 0; step < this.slices.length; step++) {
      for (const index of [this.center + step, this.center - step]) {
        if (index >= 0 && index < this.slices.length && !this.fetched.has(index)) return index;
      }
    }
    return -1;
  }

  private fetch(index: number): Promise<Blob> {
    let blob = this.fetched.get(index);
    if (!blob) {
      const slice = this.slices[index];
      if (!slice) return Promise.reject(new RangeError(`There is no slice ${index}.`));
      const window = this.window && { 'window-center': this.window.center, 'window-width': this.window.width };
      // Orthanc's "rendered" is black without a window; its "preview" stretches what is there.
      const how = window || slice.hasWindow ? 'rendered' : 'preview';
      blob = client
        .get<Blob>(`/orthanc/instances/${slice.instance}/${how}`, {
          params: { ...window, quality: 90 },
          headers: { Accept: 'image/jpeg' },
          responseType: 'blob',
          timeout: 60_000,
          signal: this.stop.signal,
        })
        .then(({ data }) => data);
      this.fetched.set(index, blob);
      blob.catch(() => {
        // Asked for again when it is looked at again.
        setTimeout(() => this.fetched.delete(index), 3000);
      });
    }
    return blob;
  }

  private decode(index: number): Promise<ImageBitmap> {
    const here = this.decoded.get(index);
    if (here) return Promise.resolve(here);
    let picture = this.decoding.get(index);
    if (!picture) {
      picture = this.fetch(index).then(async (blob) => {
        const bitmap = await createImageBitmap(blob);
        if (this.stop.signal.aborted) {
          bitmap.close();
          throw new DOMException('closed', 'AbortError');
        }
        this.decoded.set(index, bitmap);
        for (const [oldest, old] of this.decoded) {
          if (this.decoded.size <= KEPT_DECODED) break;
          old.close();
          this.decoded.delete(oldest);
        }
        this.onPicture(index);
        return bitmap;
      });
      this.decoding.set(index, picture);
      picture.catch(() => {}).finally(() => this.decoding.delete(index));
    }
    return picture;
  }
}
