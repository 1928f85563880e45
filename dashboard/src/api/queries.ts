// The questions that more than one page asks, with how often they are asked again.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { get } from './client';
import type {
  Delivery,
  Destination,
  Extraction,
  ExtractionState,
  Page,
  Statistics,
  Status,
  Study,
  StudyDetail,
} from './models';

/** Between two refreshes of what is shown live; TanStack Query pauses while the tab is hidden. */
export const REFRESH_MS = 5000;

export const useStatus = () =>
  useQuery({
    queryKey: ['status'],
    queryFn: ({ signal }) => get<Status>('/api/status', { signal }),
    refetchInterval: REFRESH_MS,
  });

export const useStatistics = (days: number) =>
  useQuery({
    queryKey: ['stats', days],
    queryFn: ({ signal }) => get<Statistics>('/api/stats', { signal, params: { days } }),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });

export const useStudies = (parameters: Record<string, string | number>, live = true) =>
  useQuery({
    queryKey: ['studies', parameters],
    queryFn: ({ signal }) => get<Page<Study>>('/api/studies', { signal, params: parameters }),
    refetchInterval: live ? REFRESH_MS : false,
    placeholderData: keepPreviousData,
  });

/** ``awaited``: it is arriving, and a study that is not there yet is asked for again soon. */
export const useStudy = (identifier: string, awaited = false) =>
  useQuery({
    retry: awaited ? 10 : false,
    retryDelay: 1000,
    queryKey: ['study', identifier],
    queryFn: ({ signal }) => get<StudyDetail>(`/api/studies/${identifier}`, { signal }),
    refetchInterval: 4 * REFRESH_MS,
  });

export const useExtractions = (parameters: { state?: ExtractionState; limit: number; offset?: number }) =>
  useQuery({
    queryKey: ['extractions', parameters],
    queryFn: ({ signal }) => get<Page<Extraction>>('/api/extractions', { signal, params: parameters }),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });

/** Where the other tools are, by name: a port of this host, or a whole origin. Written by the container at start. */
export const useDoors = () =>
  useQuery({
    queryKey: ['doors'],
    queryFn: () => get<Record<string, string>>('/doors.json'),
    staleTime: Number.POSITIVE_INFINITY,
  });

/** The routes this server has: a page about a plugin appears when its route exists. Undefined until they are known. */
export function useRoutes(): ReadonlySet<string> | undefined {
  const { data } = useQuery({
    queryKey: ['routes'],
    queryFn: async () => new Set((await get<{ paths: string[] }>('/api/routes')).paths),
    staleTime: 300_000,
    structuralSharing: false,
  });
  return data;
}

export const useHasRoute = (path: string): boolean | undefined => useRoutes()?.has(path);

/** Whether this server sends studies on; undefined until it is known. */
export const useHasDeliveries = () => useHasRoute('/api/deliveries');

export function useDeliveries(parameters: Record<string, string | number>) {
  return useQuery({
    enabled: useHasDeliveries() === true,
    queryKey: ['deliveries', parameters],
    queryFn: ({ signal }) => get<Page<Delivery>>('/api/deliveries', { signal, params: parameters }),
    refetchInterval: REFRESH_MS,
    placeholderData: keepPreviousData,
  });
}

export function useDestinations() {
  return useQuery({
    enabled: useHasDeliveries() === true,
    queryKey: ['destinations'],
    queryFn: ({ signal }) => get<{ items: Destination[] }>('/api/destinations', { signal }),
    refetchInterval: REFRESH_MS,
  });
}
