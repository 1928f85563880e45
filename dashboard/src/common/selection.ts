// Which rows of a page are chosen, for what is done to several at once.
import { useState } from 'react';

export interface Selection<Key> {
  readonly chosen: ReadonlySet<Key>;
  readonly all: boolean;
  toggle(key: Key): void;
  toggleAll(): void;
  clear(): void;
}

/** Only rows that are shown count: what has left the page since is chosen no longer. */
export function useSelection<Key>(keys: readonly Key[]): Selection<Key> {
  const [kept, setKept] = useState<ReadonlySet<Key>>(new Set());
  const chosen = new Set(keys.filter((key) => kept.has(key)));
  const all = keys.length > 0 && chosen.size === keys.length;
  return {
    chosen,
    all,
    toggle(key) {
      const next = new Set(chosen);
      if (!next.delete(key)) next.add(key);
      setKept(next);
    },
    toggleAll: () => setKept(new Set(all ? [] : keys)),
    clear: () => setKept(new Set()),
  };
}
