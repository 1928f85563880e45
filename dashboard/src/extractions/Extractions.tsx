import '../page-styles';
import { Anchor, Button, Checkbox, Group, Skeleton, Text } from '@mantine/core';
import { IconRefresh } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { type Failure, send } from '../api/client';
import type { Extraction, ExtractionState } from '../api/models';
import { useExtractions } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { Freshness } from '../common/Freshness';
import { useFormat } from '../common/format';
import { ListPages } from '../common/ListPages';
import { Nothing } from '../common/Nothing';
import { tell } from '../common/notices';
import { PageTitle } from '../common/PageTitle';
import { Said } from '../common/Said';
import { SelectAll } from '../common/SelectAll';
import { StateBadge } from '../common/StateBadge';
import { StateFilter } from '../common/StateFilter';
import { useSelection } from '../common/selection';
import { WideTable } from '../common/WideTable';
import { useIsAdmin } from '../session/session';

const STATES: ExtractionState[] = ['pending', 'running', 'done', 'failed'];
const PAGE_SIZE = 25;

export default function Extractions() {
  const { t } = useTranslation();
  const queries = useQueryClient();
  const isAdmin = useIsAdmin();
  const [parameters, setParameters] = useSearchParams();
  const state = STATES.find((name) => name === parameters.get('state'));
  const page = Math.max(1, Number(parameters.get('page')) || 1);
  const asked = { limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE, ...(state && { state }) };
  const extractions = useExtractions(asked);
  const items = extractions.data?.items ?? [];
  const total = extractions.data?.total ?? 0;
  const selection = useSelection(items.map(({ orthanc_id }) => orthanc_id));

  const act = useMutation({
    mutationFn: async (action: 'retry' | 'cancel') => {
      const failures: Failure[] = [];
      for (const identifier of selection.chosen) {
        await send('POST', `/api/extractions/${identifier}/${action}`).catch((error) => failures.push(error));
      }
      return { done: selection.chosen.size - failures.length, failures };
    },
    onSuccess: ({ done: count, failures }, action) => {
      const told = action === 'retry' ? t('extractions.retried', { count }) : t('extractions.cancelled', { count });
      tell(told, failures[0] ?? null);
      selection.clear();
      void queries.invalidateQueries({ queryKey: ['extractions'] });
    },
  });

  function change(name: string, value: string) {
    selection.clear();
    const next = new URLSearchParams(name === 'page' ? parameters : {});
    if (value) next.set(name, value);
    setParameters(next);
  }

  return (
    <>
      <PageTitle title={t('pages.extractions')}>
        <Freshness queries={[extractions]} />
      </PageTitle>
      <section className="panel">
        <Group justify="space-between" mb="sm">
          <StateFilter states={STATES} value={state} onChange={(value) => change('state', value)} />
          <Group gap="xs">
            <Button
              size="xs"
              leftSection={<IconRefresh size={14} aria-hidden />}
              disabled={!isAdmin || selection.chosen.size === 0}
              loading={act.isPending && act.variables === 'retry'}
              onClick={() => act.mutate('retry')}
            >
              {t('extractions.retry', { count: selection.chosen.size })}
            </Button>
            <Button
              size="xs"
              variant="default"
              disabled={!isAdmin || selection.chosen.size === 0}
              loading={act.isPending && act.variables === 'cancel'}
              onClick={() => act.mutate('cancel')}
            >
              {t('extractions.cancel', { count: selection.chosen.size })}
            </Button>
          </Group>
        </Group>
        {extractions.isError && <FailureNotice error={extractions.error} onRetry={() => void extractions.refetch()} />}
        {!extractions.data ? (
          !extractions.isError && <Skeleton h={400} />
        ) : items.length === 0 ? (
          <Nothing title={t('extractions.none')}>{t('extractions.how')}</Nothing>
        ) : (
          <>
            <WideTable of={t('pages.extractions')} minWidth={860}>
              <thead>
                <tr>
                  <SelectAll selection={selection} />
                  <th>{t('extractions.set')}</th>
                  <th>{t('services.state')}</th>
                  <th className="number">{t('structures.title')}</th>
                  <th className="number">{t('extractions.points')}</th>
                  <th className="number">{t('extractions.took')}</th>
                  <th className="number">{t('extractions.attempts')}</th>
                  <th>{t('extractions.when')}</th>
                </tr>
              </thead>
              <tbody>
                {items.map((extraction) => (
                  <Row
                    key={extraction.orthanc_id}
                    extraction={extraction}
                    selected={selection.chosen.has(extraction.orthanc_id)}
                    onSelect={() => selection.toggle(extraction.orthanc_id)}
                  />
                ))}
              </tbody>
            </WideTable>
            <ListPages page={page} size={PAGE_SIZE} total={total} onPage={(to) => change('page', String(to))} />
          </>
        )}
      </section>
    </>
  );
}

function Row(props: { extraction: Extraction; selected: boolean; onSelect: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { extraction, selected, onSelect } = props;
  const name = extraction.label || extraction.sop_instance_uid || extraction.orthanc_id;
  const moment = extraction.finished_at ?? extraction.started_at ?? extraction.enqueued_at;
  const number = (value: number | null) => (value === null ? '–' : format.number(value));
  return (
    <tr data-extraction={extraction.state}>
      <td>
        <Checkbox aria-label={t('extractions.selectOne', { name })} checked={selected} onChange={onSelect} />
      </td>
      <td style={{ overflowWrap: 'anywhere' }}>
        {extraction.study_instance_uid ? (
          <Anchor component={Link} to={`/studies/${extraction.study_instance_uid}`} size="sm">
            {name}
          </Anchor>
        ) : (
          name
        )}
      </td>
      <td>
        <StateBadge state={extraction.state} />
        {extraction.error && <Said of={[extraction.error]} size="xs" />}
        {extraction.state === 'pending' && extraction.next_try_at && (
          <Text size="xs" c="dimmed">
            {t('extractions.next', { when: format.ago(extraction.next_try_at) })}
          </Text>
        )}
      </td>
      <td className="number">{number(extraction.structure_count)}</td>
      <td className="number">{number(extraction.point_count)}</td>
      <td className="number">{extraction.duration_s === null ? '–' : format.duration(extraction.duration_s)}</td>
      <td className="number">{number(extraction.attempts)}</td>
      <td className="one-line">
        <time dateTime={moment} title={format.moment(moment)}>
          {format.ago(moment)}
        </time>
      </td>
    </tr>
  );
}
