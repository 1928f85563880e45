// Which deliveries are asked for: it stands in the address, so that it can be kept, sent and gone back to.
import type { DeliveryState } from '../api/models';

export const STATES = ['waiting', 'sending', 'verifying', 'delivered', 'failed', 'cancelled'] as const;
export const PAGE_SIZE = 25;

/** What the server is told to do with some of them, and from which states. */
export const ACTIONS = {
  retry: ['waiting', 'failed', 'cancelled'],
  cancel: ['waiting', 'sending', 'verifying', 'failed'],
} as const satisfies Record<string, readonly DeliveryState[]>;
export type Action = keyof typeof ACTIONS;

export const allows = (action: Action, state: DeliveryState): boolean =>
  (ACTIONS[action] as readonly DeliveryState[]).includes(state);

const FILTERS = ['state', 'destination', 'study', 'q'] as const;
export type Filter = (typeof FILTERS)[number];

/** The filters of an address; what the server would refuse is left out. */
export function filtersOf(parameters: URLSearchParams): Partial<Record<Filter, string>> {
  const filters: Partial<Record<Filter, string>> = {};
  for (const name of FILTERS) {
    const value = parameters.get(name);
    if (value && (name !== 'state' || STATES.some((state) => state === value))) filters[name] = value;
  }
  return filters;
}

export const pageOf = (parameters: URLSearchParams): number =>
  Math.max(1, Number.parseInt(parameters.get('page') ?? '1', 10) || 1);

/** The address with one thing changed; another filter begins at the first page. */
export function changed(parameters: URLSearchParams, name: Filter | 'page', value: string): URLSearchParams {
  const next = new URLSearchParams(parameters);
  if (name !== 'page') next.delete('page');
  if (value && !(name === 'page' && value === '1')) next.set(name, value);
  else next.delete(name);
  return next;
}
