// @vitest-environment jsdom
import { MantineProvider } from '@mantine/core';
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { cleanup, render, screen, within } from '@testing-library/react';
import { MemoryRouter } from 'react-router';
import { afterEach, beforeAll, expect, test, vi } from 'vitest';
import type { Delivery } from '../api/models';
import { startTranslations } from '../i18n';
import { signIn, signOut } from '../session/session';
import { DeliveryTable } from './DeliveryTable';

vi.stubGlobal('matchMedia', () => ({ matches: false, addEventListener: () => {}, removeEventListener: () => {} }));
beforeAll(startTranslations);
afterEach(() => {
  cleanup();
  signOut();
});

const delivery = (changes: Partial<Delivery>): Delivery => ({
  id: 1,
  destination: 'archive',
  study_orthanc_id: 'a',
  study_instance_uid: '1.2.3',
  patient_id: 'P1',
  patient_name: 'Dürer^Agnes',
  study_description: 'Thorax',
  state: 'waiting',
  attempts: 1,
  instances_total: 180,
  instances_sent: 0,
  bytes_total: 1000,
  reason: null,
  proof: null,
  created_at: '2026-01-01T00:00:00Z',
  next_try_at: null,
  started_at: null,
  delivered_at: null,
  duration_s: null,
  ...changes,
});

function show(...deliveries: Delivery[]) {
  const selection = { chosen: new Set<number>(), all: false, toggle() {}, toggleAll() {}, clear() {} };
  render(
    <MantineProvider>
      <QueryClientProvider client={new QueryClient()}>
        <MemoryRouter>
          <DeliveryTable deliveries={deliveries} selection={selection} />
        </MemoryRouter>
      </QueryClientProvider>
    </MantineProvider>,
  );
  return screen.getAllByRole('row').slice(1);
}

test('what waits says why, and when it is tried again', () => {
  const [row] = show(
    delivery({
      reason: 'The archive does not answer.',
      next_try_at: new Date(Date.now() + 2 * 86_400_000).toISOString(),
    }),
  );
  expect(row?.textContent).toContain('Dürer, Agnes');
  expect(row?.textContent).toContain('The archive does not answer.');
  expect(row?.textContent).toContain('Next try in 2 days');
});

test('what is being sent says how far it is', () => {
  const [row] = show(delivery({ state: 'sending', instances_sent: 45 }));
  expect(row?.textContent).toContain('45 / 180');
  expect(row?.querySelector('[role=progressbar]')?.getAttribute('aria-valuenow')).toBe('25');
});

test('what is delivered says how it was proven, and no longer why it once failed', () => {
  const [row] = show(delivery({ state: 'delivered', proof: 'c_find', reason: 'Too busy.' }));
  expect(row?.textContent).toContain('Found there by C-FIND');
  expect(row?.textContent).not.toContain('Too busy.');
});

test('an administrator may retry and cancel what is not delivered, a viewer nothing', () => {
  const all = [
    delivery({ state: 'failed' }),
    delivery({ id: 2, state: 'sending' }),
    delivery({ id: 3, state: 'delivered' }),
  ];
  signIn('admin', 'Basic x');
  const labels = show(...all).map((row) => within(row).queryByRole('button')?.getAttribute('aria-label'));
  expect(labels).toEqual([
    'Send Dürer, Agnes to archive again',
    'Cancel the delivery of Dürer, Agnes to archive',
    undefined,
  ]);
  cleanup();

  signIn('viewer', 'Basic x');
  expect(show(...all).map((row) => within(row).queryByRole('button'))).toEqual([null, null, null]);
});
