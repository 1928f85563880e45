// @vitest-environment jsdom
// A POST that takes the server a while is followed to its own answer, or to the reason why there is none.
import type { AxiosAdapter, InternalAxiosRequestConfig } from 'axios';
import { AxiosError } from 'axios';
import { afterEach, expect, test } from 'vitest';
import { client, type Failure, sendAndFollow } from './client';

const PROGRESS = '/api/computations/1';

/** A server that says 202, then `state`, and whose result has this status and these data. */
function server(state: string, status: number, data: unknown): AxiosAdapter {
  const answers: Record<string, [number, unknown]> = {
    'post /repair': [202, {}],
    [`get ${PROGRESS}`]: [200, { state, result: `${PROGRESS}/result` }],
    [`get ${PROGRESS}/result`]: [status, data],
  };
  return async (config: InternalAxiosRequestConfig) => {
    const [code, body] = answers[`${config.method} ${config.url}`] ?? [404, {}];
    const response = { status: code, statusText: '', data: body, headers: { location: PROGRESS }, config };
    if (code >= 400) throw new AxiosError('', '', config, null, response);
    return response;
  };
}

const usual = client.defaults.adapter;
afterEach(() => {
  client.defaults.adapter = usual;
});

test('a 202 is followed to the result', async () => {
  client.defaults.adapter = server('done', 201, { result: 'stored' });
  expect(await sendAndFollow('/repair', {})).toEqual({ result: 'stored' });
});

test('what failed meanwhile is a failure with the reason of the server', async () => {
  client.defaults.adapter = server('failed', 409, { detail: 'Nothing to repair.', remedy: 'None.' });
  const failure = (await sendAndFollow('/repair', {}).catch((error: unknown) => error)) as Failure;
  expect([failure.status, failure.detail]).toEqual([409, 'Nothing to repair.']);
});
