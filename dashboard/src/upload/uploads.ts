// The one queue of uploads of this tab, with the server at its end.
import axios from 'axios';
import { useSyncExternalStore } from 'react';
import { client, failureOf } from '../api/client';
import type { UploadAnswer } from '../api/models';
import { onSignedOut } from '../session/session';
import { RequestFailed, type SendFiles, Transfers } from './transfers';

const sendFiles: SendFiles = async (files, onSent, signal) => {
  const form = new FormData();
  for (const { name, file } of files) form.append('files', file, name);
  try {
    const answer = await client.post<UploadAnswer>('/api/upload', form, {
      signal,
      timeout: 0,
      onUploadProgress: ({ loaded }) => onSent(loaded),
    });
    return answer.data;
  } catch (error) {
    // All rejected is an answer too: each file has its reason.
    if (axios.isAxiosError(error) && Array.isArray(error.response?.data?.files)) return error.response.data;
    const busy = axios.isAxiosError(error) && error.response?.status === 503;
    const failure = await failureOf(error);
    throw new RequestFailed([failure.detail, failure.remedy].filter(Boolean).join(' ') || failure.kind, busy);
  }
};

export const transfers = new Transfers(sendFiles);
export const useProgress = () => useSyncExternalStore(transfers.subscribe, transfers.progress);

onSignedOut(() => transfers.clear());

window.addEventListener('beforeunload', (event) => {
  if (transfers.progress().active) event.preventDefault();
});
