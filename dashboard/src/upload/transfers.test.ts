import { expect, test, vi } from 'vitest';
import type { UploadAnswer, UploadedFile } from '../api/models';
import { BATCH_FILES, nextBatch, spread } from './batches';
import { RequestFailed, type SendFiles, Transfers } from './transfers';

const file = (path: string, size = 10) => ({ path, file: new File([new Uint8Array(size)], path) });

const result = (name: string, changes: Partial<UploadedFile> = {}): UploadedFile => ({
  name,
  result: 'stored',
  reason: null,
  orthanc_id: 'o',
  sop_instance_uid: '1.2',
  study_instance_uid: '1.2.3',
  ...changes,
});

const answer = (files: UploadedFile[]): UploadAnswer => ({ files, stored: 0, already_stored: 0, rejected: 0 });
const storing: SendFiles = async (files) => answer(files.map(({ name }) => result(name)));
const ended = (transfers: Transfers) => vi.waitFor(() => expect(transfers.progress().active).toBe(false));

test('small files travel together, a large one alone', () => {
  const sizes = (batch: { size: number }[]) => batch.map(({ size }) => size);
  expect(sizes(nextBatch([{ size: 5e6 }, { size: 5e6 }, { size: 9e6 }]))).toEqual([5e6, 5e6]);
  expect(sizes(nextBatch([{ size: 5e8 }, { size: 1 }]))).toEqual([5e8]);
  expect(nextBatch(Array.from({ length: 200 }, () => ({ size: 1 })))).toHaveLength(BATCH_FILES);
});

test('progress of a request is that of its files, one after the other', () => {
  expect(spread([100, 100, 100], 150)).toEqual([100, 50, 0]);
  expect(spread([100], 5000)).toEqual([100]);
});

test('thousands of files arrive, two requests at a time, without what systems leave in folders', async () => {
  let running = 0;
  let most = 0;
  const transfers = new Transfers(async (files, onSent, signal) => {
    most = Math.max(most, ++running);
    await new Promise((resolve) => setTimeout(resolve, 1));
    running--;
    return storing(files, onSent, signal);
  });
  transfers.add([...Array.from({ length: 3000 }, (_, i) => file(`a/${i}`)), file('a/.DS_Store'), file('Thumbs.db')]);
  await vi.waitFor(() => expect(transfers.progress().counts.stored).toBe(3000));
  expect(most).toBe(2);
  expect(transfers.progress().studies).toEqual(['1.2.3']);
});

test('a file that is refused keeps its reason, its neighbours are stored', async () => {
  const transfers = new Transfers(async () =>
    answer([result('0'), result('1', { result: 'rejected', reason: 'not DICOM', study_instance_uid: null })]),
  );
  transfers.add([file('a.dcm'), file('notes.txt')]);
  await vi.waitFor(() => expect(transfers.progress().counts).toMatchObject({ stored: 1, rejected: 1 }));
  expect(transfers.progress().transfers[1]?.reason).toBe('not DICOM');
});

test('a ZIP is stored when something of it was, and tells what was not', async () => {
  const transfers = new Transfers(async () =>
    answer([result('0/a.dcm'), result('0/b.txt', { result: 'rejected', reason: 'not DICOM' })]),
  );
  transfers.add([file('study.zip')]);
  await vi.waitFor(() => expect(transfers.progress().counts.stored).toBe(1));
  expect(transfers.progress().transfers[0]?.inside.map(({ name }) => name)).toEqual(['a.dcm', 'b.txt']);
});

test('what failed can be sent again', async () => {
  let works = false;
  const transfers = new Transfers(async (...request) => {
    if (!works) throw new RequestFailed('the network is gone');
    return storing(...request);
  });
  transfers.add([file('a'), file('b')]);
  await vi.waitFor(() => expect(transfers.progress().counts.failed).toBe(2));
  expect(transfers.progress().transfers[0]?.reason).toBe('the network is gone');
  works = true;
  transfers.retryFailed();
  await vi.waitFor(() => expect(transfers.progress().counts.stored).toBe(2));
});

test('a busy server is asked again by itself', async () => {
  let refusals = 2;
  const transfers = new Transfers(async (...request) => {
    if (refusals-- > 0) throw new RequestFailed('four uploads are running', true);
    return storing(...request);
  }, 1);
  transfers.add([file('a')]);
  await vi.waitFor(() => expect(transfers.progress().counts.stored).toBe(1));
});

test('cancelling stops what runs and what waits, and keeps what is stored', async () => {
  let requests = 0;
  const transfers = new Transfers(async (files, onSent, signal) => {
    if (requests++ === 0) return storing(files, onSent, signal);
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  });
  transfers.add(Array.from({ length: 400 }, (_, i) => file(String(i))));
  await vi.waitFor(() => expect(transfers.progress().counts.stored).toBe(BATCH_FILES));
  transfers.cancel();
  await ended(transfers);
  expect(transfers.progress().counts).toMatchObject({ stored: BATCH_FILES, cancelled: 400 - BATCH_FILES });
});
