import { Loader, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { get } from '../api/client';
import type { Series } from '../api/models';
import { Dialog } from '../common/Dialog';
import { FailureNotice } from '../common/FailureNotice';
import { useInstances } from './queries';

const SHOWN = 400;

type TagValue = string | null | { [name: string]: TagValue }[];

/** Nested sequences become paths, such as `ROIContourSequence[0] › ROIDisplayColor`. */
function* flat(tags: Record<string, TagValue>, path = ''): Generator<[string, string]> {
  for (const [name, value] of Object.entries(tags)) {
    if (!Array.isArray(value)) yield [path + name, value ?? ''];
    else for (const [index, item] of value.entries()) yield* flat(item, `${path}${name}[${index}] › `);
  }
}

/** The tags of a series, by its first instance. */
export function Tags({ series, onClose }: { series: Series | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog
      opened={series !== null}
      onClose={onClose}
      size="xl"
      title={series && t('study.tagsOf', { of: series.description || series.modality })}
    >
      {series && <TagTable series={series} />}
    </Dialog>
  );
}

function TagTable({ series }: { series: Series }) {
  const { t } = useTranslation();
  const [searched, setSearched] = useState('');
  const instance = useInstances(series.orthanc_id).data?.[0]?.ID;
  const tags = useQuery({
    queryKey: ['tags', instance],
    queryFn: ({ signal }) =>
      get<Record<string, TagValue>>(`/orthanc/instances/${instance}/simplified-tags`, { signal, timeout: 60_000 }),
    enabled: instance !== undefined,
    staleTime: Number.POSITIVE_INFINITY,
  });
  if (tags.isError) return <FailureNotice error={tags.error} onRetry={() => void tags.refetch()} />;
  if (!tags.data) return <Loader aria-label={t('loading')} />;
  const rows: [string, string][] = [];
  const wanted = searched.toLowerCase();
  for (const row of flat(tags.data)) {
    if (row.join(' ').toLowerCase().includes(wanted)) rows.push(row);
    if (rows.length >= SHOWN) break;
  }
  return (
    <>
      <TextInput
        type="search"
        label={t('studies.search')}
        value={searched}
        onChange={(event) => setSearched(event.currentTarget.value)}
      />
      <table className="table">
        <tbody>
          {rows.map(([name, value], index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows have no other identity and no state.
            <tr key={index}>
              <th scope="row" style={{ overflowWrap: 'anywhere', width: '45%', fontWeight: 500 }}>
                {name}
              </th>
              <td style={{ overflowWrap: 'anywhere' }}>{value.slice(0, 300)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      {rows.length >= SHOWN && t('study.moreTags', { count: SHOWN })}
    </>
  );
}
