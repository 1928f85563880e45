// @vitest-environment jsdom
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen } from '@testing-library/react';
import { afterEach, expect, test, vi } from 'vitest';
import type { ServiceState, Status } from '../api/models';
import { Services } from './Services';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }));
afterEach(cleanup);

function show(grafana: ServiceState) {
  const since = '2026-01-01T00:00:00Z';
  const service = (name: string, state: ServiceState) => ({
    name,
    state,
    latency_ms: 1,
    version: null,
    since,
    checked_at: since,
    reason: null,
  });
  const names = ['orthanc', 'postgres', 'dcm4chee', 'modality:CT1'];
  const services = [...names.map((name) => service(name, 'up')), service('grafana', grafana)];
  const client = new QueryClient({ defaultOptions: { queries: { staleTime: Infinity } } });
  client.setQueryData(['doors'], { grafana: '3002' });
  render(
    <MantineProvider>
      <QueryClientProvider client={client}>
        <Services status={{ status: 'up', services } satisfies Status} />
      </QueryClientProvider>
    </MantineProvider>,
  );
}

test('each service of the stack has a link to its Grafana page', () => {
  show('up');
  const page = (service: string) => document.querySelector(`[data-service="${service}"] a`)?.getAttribute('href');
  expect(page('orthanc')).toMatch(/:3002\/d\/pacs-orthanc$/);
  expect(page('dcm4chee')).toMatch(/:3002\/d\/pacs-dcm4chee$/);
  expect(page('postgres')).toMatch(/:3002\/d\/pacs-platform$/);
  expect(page('modality:CT1')).toBeUndefined();
});

test.each<ServiceState>(['down', 'not_configured'])('without a Grafana there are no links (%s)', (state) => {
  show(state);
  expect(screen.queryByRole('link')).toBeNull();
});
