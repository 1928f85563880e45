// How the site talks to the server: one Axios instance, the session's credentials, one kind of failure.
import axios, { type AxiosError, type AxiosRequestConfig } from 'axios';
import { currentSession, signOut } from '../session/session';

/** A server that has not answered by then is told to be away. */
export const ANSWER_WITHIN_MS = 8000;

export const client = axios.create({
  timeout: ANSWER_WITHIN_MS,
  // Without it the browser's own password prompt would come up over the site's form.
  headers: { 'X-Requested-With': 'XMLHttpRequest' },
});

client.interceptors.request.use((request) => {
  const session = currentSession();
  if (session && !request.headers.has('Authorization')) request.headers.set('Authorization', session.authorization);
  return request;
});

client.interceptors.response.use(undefined, (error: AxiosError) => {
  const session = currentSession();
  const sent = error.config?.headers?.get('Authorization');
  // Only when it was this session that was refused, not a sign-in being tried.
  if (error.response?.status === 401 && session && sent === session.authorization) signOut('expired');
  return Promise.reject(error);
});

export type FailureKind = 'away' | 'slow' | 'unauthorized' | 'forbidden' | 'missing' | 'refused';

/** What went wrong, for people: the kind decides the words, detail and remedy are the server's own. */
export class Failure extends Error {
  constructor(
    readonly kind: FailureKind,
    readonly status: number | null,
    readonly detail: string,
    readonly remedy: string,
  ) {
    super(detail || kind);
  }
}

const KINDS: Record<number, FailureKind> = {
  401: 'unauthorized',
  403: 'forbidden',
  404: 'missing',
  502: 'away',
  503: 'away',
  504: 'slow',
};

async function bodyOf(data: unknown): Promise<Record<string, unknown>> {
  try {
    if (data instanceof Blob) return JSON.parse(await data.text());
    if (data instanceof ArrayBuffer) return JSON.parse(new TextDecoder().decode(data));
    if (typeof data === 'string') return JSON.parse(data);
  } catch {
    return {};
  }
  return data && typeof data === 'object' ? (data as Record<string, unknown>) : {};
}

export async function failureOf(error: unknown): Promise<Failure> {
  if (error instanceof Failure) return error;
  if (!axios.isAxiosError(error)) return new Failure('refused', null, String(error), '');
  if (!error.response) return new Failure(error.code === 'ECONNABORTED' ? 'slow' : 'away', null, '', '');
  const body = await bodyOf(error.response.data);
  const text = (name: string) => (typeof body[name] === 'string' ? (body[name] as string) : '');
  const { status } = error.response;
  return new Failure(KINDS[status] ?? 'refused', status, text('detail') || text('Message'), text('remedy'));
}

/** A GET whose failure is a Failure. */
export async function get<T>(url: string, config: AxiosRequestConfig = {}): Promise<T> {
  try {
    return (await client.get<T>(url, config)).data;
  } catch (error) {
    throw await failureOf(error);
  }
}

/** POST or DELETE, likewise. */
export async function send<T>(method: 'POST' | 'DELETE', url: string, config: AxiosRequestConfig = {}): Promise<T> {
  try {
    return (await client.request<T>({ method, url, ...config })).data;
  } catch (error) {
    throw await failureOf(error);
  }
}

const COMPUTED_WITHIN_MS = 600_000;

/** A GET of something that the server may have to compute first: it answers 202 until it is there. */
export async function getComputed<T>(url: string, responseType: 'json' | 'arraybuffer' | 'text', signal: AbortSignal) {
  const until = Date.now() + COMPUTED_WITHIN_MS;
  for (;;) {
    try {
      const answer = await client.get<T>(url, { responseType, signal, timeout: 60_000 });
      if (answer.status !== 202) return answer.data;
    } catch (error) {
      throw await failureOf(error);
    }
    if (Date.now() > until) throw new Failure('slow', null, '', '');
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

/** A POST that may take the server a while: it then answers 202 with where to ask how far it is. */
export async function sendAndFollow<T>(url: string, data: unknown): Promise<T> {
  const until = Date.now() + COMPUTED_WITHIN_MS;
  try {
    const sent = await client.post<T>(url, data, { timeout: 60_000 });
    if (sent.status !== 202) return sent.data;
    for (;;) {
      const { state, result } = (await client.get<{ state: string; result: string }>(sent.headers.location)).data;
      if (state !== 'running') return (await client.get<T>(result)).data;
      if (Date.now() > until) throw new Failure('slow', null, '', '');
      await new Promise((resolve) => setTimeout(resolve, 1000));
    }
  } catch (error) {
    throw await failureOf(error);
  }
}
