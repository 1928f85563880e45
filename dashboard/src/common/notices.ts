// Short messages and running downloads, shown over every page (shell/Notices.tsx).
import { useSyncExternalStore } from 'react';
import { client, type Failure, failureOf } from '../api/client';

export interface Notice {
  readonly id: number;
  readonly kind: 'done' | 'failed' | 'downloading';
  readonly text: string;
  readonly loadedBytes: number;
  readonly failure: Failure | null;
  readonly cancel: (() => void) | null;
}

let notices: readonly Notice[] = [];
let next = 1;
const listeners = new Set<() => void>();

function change(to: readonly Notice[]) {
  notices = to;
  for (const listener of listeners) listener();
}

const subscribe = (listener: () => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useNotices = () => useSyncExternalStore(subscribe, () => notices);
export const dismiss = (id: number) => change(notices.filter((notice) => notice.id !== id));

export function tell(text: string, failure: Failure | null = null): void {
  const id = next++;
  const kind = failure ? 'failed' : 'done';
  change([...notices, { id, kind, text, failure, loadedBytes: 0, cancel: null }]);
  if (!failure) setTimeout(() => dismiss(id), 8000);
}

function save(blob: Blob, filename: string) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(blob);
  link.download = filename;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}

/** Fetches a file with this tab's account and gives it to the browser to save; what is still computed is waited for. */
export async function download(url: string, filename: string): Promise<void> {
  const id = next++;
  const stop = new AbortController();
  const cancel = () => {
    stop.abort();
    dismiss(id);
  };
  change([...notices, { id, kind: 'downloading', text: filename, failure: null, loadedBytes: 0, cancel }]);
  try {
    for (;;) {
      const answer = await client.get<Blob>(url, {
        responseType: 'blob',
        timeout: 0,
        signal: stop.signal,
        onDownloadProgress: ({ loaded }) =>
          change(notices.map((notice) => (notice.id === id ? { ...notice, loadedBytes: loaded } : notice))),
      });
      if (answer.status !== 202) {
        save(answer.data, filename);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
    dismiss(id);
  } catch (error) {
    if (stop.signal.aborted) return;
    dismiss(id);
    tell(filename, await failureOf(error));
  }
}
