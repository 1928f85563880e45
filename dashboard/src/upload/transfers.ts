// The uploads of this tab. They live outside of any page, so that they go on while people look elsewhere in the site.
import type { UploadAnswer, UploadedFile } from '../api/models';
import { isLitter, nextBatch, spread } from './batches';

export type TransferState = 'waiting' | 'sending' | 'stored' | 'already_stored' | 'rejected' | 'failed' | 'cancelled';

export interface Transfer {
  readonly id: number;
  readonly path: string;
  readonly size: number;
  readonly file: File;
  state: TransferState;
  sentBytes: number;
  reason: string;
  /** Of a ZIP: what became of the files in it. */
  inside: UploadedFile[];
}

export interface Progress {
  readonly transfers: readonly Transfer[];
  readonly counts: Readonly<Record<TransferState, number>>;
  readonly totalBytes: number;
  readonly sentBytes: number;
  readonly bytesPerSecond: number;
  readonly secondsLeft: number | null;
  readonly active: boolean;
  /** Study Instance UIDs, in the order in which they came. */
  readonly studies: readonly string[];
}

/** Why a request failed: ``busy`` is tried again by itself. */
export class RequestFailed extends Error {
  constructor(
    message: string,
    readonly busy = false,
  ) {
    super(message);
  }
}

/** Sends files under the given names; answers what became of each. */
export type SendFiles = (
  files: readonly { name: string; file: File }[],
  onSent: (bytes: number) => void,
  signal: AbortSignal,
) => Promise<UploadAnswer>;

const PARALLEL = 2;
const TELL_EVERY_MS = 150;
const SPEED_OVER_MS = 5000;
const BUSY_WAIT_MS = 2000;
const ENDED: ReadonlySet<TransferState> = new Set(['stored', 'already_stored', 'rejected', 'failed', 'cancelled']);

export class Transfers {
  private transfers: Transfer[] = [];
  private studies = new Set<string>();
  private running = 0;
  private stop = new AbortController();
  private listeners = new Set<() => void>();
  private telling: ReturnType<typeof setTimeout> | null = null;
  private samples: { at: number; bytes: number }[] = [];
  private snapshot: Progress;
  private nextId = 1;
  /** Everything before it has begun; keeps a thousand batches from each looking through a thousand files. */
  private first = 0;

  constructor(
    private readonly sendFiles: SendFiles,
    private readonly busyWaitMs = BUSY_WAIT_MS,
  ) {
    this.snapshot = this.look();
  }

  readonly subscribe = (listener: () => void) => {
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
    };
  };
  readonly progress = () => this.snapshot;

  add(files: readonly { path: string; file: File }[]): void {
    for (const { path, file } of files) {
      if (isLitter(path)) continue;
      const id = this.nextId++;
      this.transfers.push({ id, path, file, size: file.size, state: 'waiting', sentBytes: 0, reason: '', inside: [] });
    }
    this.go();
  }

  retryFailed(): void {
    for (const transfer of this.transfers) {
      if (transfer.state === 'failed' || transfer.state === 'cancelled') {
        Object.assign(transfer, { state: 'waiting', sentBytes: 0, reason: '' });
      }
    }
    this.first = 0;
    this.go();
  }

  /** What waits or runs; what is stored stays stored. */
  cancel(): void {
    this.stop.abort();
    this.stop = new AbortController();
    for (const transfer of this.transfers) {
      if (!ENDED.has(transfer.state)) Object.assign(transfer, { state: 'cancelled', sentBytes: 0 });
    }
    this.tell();
  }

  clear(): void {
    this.cancel();
    this.transfers = [];
    this.studies.clear();
    this.samples = [];
    this.first = 0;
    this.tell();
  }

  private go(): void {
    while (this.running < PARALLEL) {
      const batch = nextBatch(this.waiting());
      if (batch.length === 0) break;
      for (const transfer of batch) transfer.state = 'sending';
      this.running++;
      void this.sendBatch(batch, this.stop.signal).finally(() => {
        this.running--;
        this.go();
      });
    }
    this.tell();
  }

  private *waiting(): Generator<Transfer> {
    while (this.first < this.transfers.length && this.transfers[this.first]?.state !== 'waiting') this.first++;
    for (let index = this.first; index < this.transfers.length; index++) {
      const transfer = this.transfers[index];
      if (transfer?.state === 'waiting') yield transfer;
    }
  }

  private async sendBatch(batch: Transfer[], signal: AbortSignal): Promise<void> {
    const sizes = batch.map(({ size }) => size);
    const onSent = (bytes: number) => {
      if (signal.aborted) return;
      const parts = spread(sizes, bytes);
      batch.forEach((transfer, index) => {
        transfer.sentBytes = parts[index] ?? 0;
      });
      this.tell();
    };
    try {
      // Each by its place in the request: two folders may hold files of the same name.
      const named = batch.map(({ file }, index) => ({ name: String(index), file }));
      const answer = await this.sendFiles(named, onSent, signal);
      if (!signal.aborted) this.conclude(batch, answer);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof RequestFailed && error.busy) {
        await new Promise((resolve) => setTimeout(resolve, this.busyWaitMs));
        if (signal.aborted) return;
        for (const transfer of batch) Object.assign(transfer, { state: 'waiting', sentBytes: 0 });
        this.first = 0;
      } else {
        const reason = error instanceof Error ? error.message : String(error);
        for (const transfer of batch) Object.assign(transfer, { state: 'failed', sentBytes: 0, reason });
      }
    }
  }

  private conclude(batch: Transfer[], answer: UploadAnswer): void {
    batch.forEach((transfer, index) => {
      const own = answer.files.filter(({ name }) => name === String(index));
      const inside = answer.files.filter(({ name }) => name.startsWith(`${index}/`));
      const results = [...own, ...inside];
      transfer.sentBytes = transfer.size;
      transfer.inside = inside.map((file) => ({ ...file, name: file.name.slice(String(index).length + 1) }));
      transfer.reason = own.find(({ reason }) => reason)?.reason ?? '';
      const has = (result: UploadedFile['result']) => results.some((file) => file.result === result);
      if (has('stored')) transfer.state = 'stored';
      else if (has('already_stored')) transfer.state = 'already_stored';
      else transfer.state = 'rejected';
      if (transfer.state === 'rejected' && !transfer.reason) transfer.reason = inside[0]?.reason ?? '';
      for (const { study_instance_uid } of results) if (study_instance_uid) this.studies.add(study_instance_uid);
    });
    this.tell();
  }

  private tell(): void {
    this.telling ??= setTimeout(() => {
      this.telling = null;
      this.snapshot = this.look();
      for (const listener of this.listeners) listener();
    }, TELL_EVERY_MS);
  }

  private look(): Progress {
    const counts = { waiting: 0, sending: 0, stored: 0, already_stored: 0, rejected: 0, failed: 0, cancelled: 0 };
    let totalBytes = 0;
    let sentBytes = 0;
    for (const { state, size, sentBytes: sent } of this.transfers) {
      counts[state]++;
      if (state === 'cancelled' || state === 'failed') continue;
      totalBytes += size;
      sentBytes += sent;
    }
    const active = counts.waiting + counts.sending > 0;
    const now = performance.now();
    this.samples = active
      ? [...this.samples.filter(({ at }) => now - at < SPEED_OVER_MS), { at: now, bytes: sentBytes }]
      : [];
    const oldest = this.samples[0];
    const seconds = oldest ? (now - oldest.at) / 1000 : 0;
    const bytesPerSecond = oldest && seconds > 0.3 ? Math.max(0, (sentBytes - oldest.bytes) / seconds) : 0;
    return {
      transfers: this.transfers,
      counts,
      totalBytes,
      sentBytes,
      bytesPerSecond,
      secondsLeft: bytesPerSecond > 0 ? (totalBytes - sentBytes) / bytesPerSecond : null,
      active,
      studies: [...this.studies],
    };
  }
}
