// Which files go into one request: many small ones together, so that a series of 500 slices is not 500 round trips.

export const BATCH_BYTES = 16_000_000;
export const BATCH_FILES = 50;

/** Files that systems leave in folders and nobody means to send. */
const LITTER = /(^|\/)(\.DS_Store|Thumbs\.db|desktop\.ini|__MACOSX\/.*|\._[^/]*)$/;

export const isLitter = (path: string) => LITTER.test(path);

/** The first of ``waiting`` that fit into one request; always at least one. */
export function nextBatch<T extends { readonly size: number }>(waiting: Iterable<T>): T[] {
  const batch: T[] = [];
  let bytes = 0;
  for (const item of waiting) {
    if (batch.length > 0 && (bytes + item.size > BATCH_BYTES || batch.length >= BATCH_FILES)) break;
    batch.push(item);
    bytes += item.size;
  }
  return batch;
}

/** How much of each file has gone, when ``loaded`` bytes of the request have: its files go one after the other. */
export function spread(sizes: readonly number[], loaded: number): number[] {
  let left = loaded;
  return sizes.map((size) => {
    const part = Math.min(size, Math.max(0, left));
    left -= size;
    return part;
  });
}
