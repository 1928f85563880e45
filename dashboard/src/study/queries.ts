// What the page of one study asks.
import { queryOptions, useQuery } from '@tanstack/react-query';
import { get, getComputed } from '../api/client';
import type { Dvh, Quality, StructureSet } from '../api/models';
import { useHasRoute } from '../api/queries';
import { decodeContours } from '../viewer/contours';
import { type ListedInstance, stackOf } from '../viewer/geometry';
import { parseCsv } from './csv';

const LONG = Number.POSITIVE_INFINITY;
const PLACE = 'ImagePositionPatient;ImageOrientationPatient;PixelSpacing;Rows;Columns;WindowCenter';
const EXTRACT = '/api/extract-rt/{instance_id}';

const listed = (series: string | undefined) =>
  queryOptions({
    queryKey: ['instances', series],
    queryFn: ({ signal }) =>
      get<ListedInstance[]>(`/orthanc/series/${series}/instances`, {
        signal,
        timeout: 60_000,
        params: { 'requested-tags': PLACE },
      }),
    enabled: series !== undefined,
    staleTime: 60_000,
  });

export const useInstances = (series: string) => useQuery(listed(series));

export const useStack = (series: string | undefined) => useQuery({ ...listed(series), select: stackOf });

export const useStructureSet = (instance: string) =>
  useQuery({
    queryKey: ['structure-set', instance],
    queryFn: ({ signal }) =>
      get<StructureSet>(`/api/extract-rt/${instance}`, { signal, timeout: 120_000, params: { contours: false } }),
    staleTime: LONG,
  });

export const useContours = (instance: string) =>
  useQuery({
    queryKey: ['contours', instance],
    queryFn: async ({ signal }) =>
      decodeContours(await getComputed<ArrayBuffer>(`/api/extract-rt/${instance}/contours.bin`, 'arraybuffer', signal)),
    staleTime: LONG,
    structuralSharing: false,
  });

/** Names of TG-263 and mean intensities, by ROI Number; they come after the rest, since images have to be read. */
export function useTable(instance: string) {
  const exists = useHasRoute(`${EXTRACT}/table.csv`);
  return useQuery({
    queryKey: ['table', instance],
    queryFn: async ({ signal }) => {
      const rows = parseCsv(await getComputed<string>(`/api/extract-rt/${instance}/table.csv`, 'text', signal));
      return new Map(rows.map((row) => [Number(row.number), row]));
    },
    enabled: exists === true,
    staleTime: LONG,
    structuralSharing: false,
  });
}

export function useQuality(instance: string) {
  const exists = useHasRoute(`${EXTRACT}/quality`);
  return useQuery({
    queryKey: ['quality', instance],
    queryFn: ({ signal }) => getComputed<Quality>(`/api/extract-rt/${instance}/quality`, 'json', signal),
    enabled: exists === true,
    staleTime: 60_000,
  });
}

export function useDvh(instance: string, hasDose: boolean) {
  const exists = useHasRoute(`${EXTRACT}/dvh`);
  return useQuery({
    queryKey: ['dvh', instance],
    queryFn: ({ signal }) => getComputed<Dvh>(`/api/extract-rt/${instance}/dvh`, 'json', signal),
    enabled: exists === true && hasDose,
    staleTime: LONG,
  });
}
