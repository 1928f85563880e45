import '../page-styles';
import { Button, Group, NativeSelect, Skeleton, Stack, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconDownload, IconPlayerStop, IconRefresh, IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import type { Delivery } from '../api/models';
import { useDeliveries, useDestinations, useHasDeliveries } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { Freshness } from '../common/Freshness';
import { ListPages } from '../common/ListPages';
import { Nothing } from '../common/Nothing';
import { download } from '../common/notices';
import { PageTitle } from '../common/PageTitle';
import { StateFilter } from '../common/StateFilter';
import { useSelection } from '../common/selection';
import { useIsAdmin } from '../session/session';
import { DeliveryTable } from './DeliveryTable';
import { Destinations } from './Destinations';
import { type Action, allows, changed, type Filter, filtersOf, PAGE_SIZE, pageOf, STATES } from './search';
import { useDeliveryActions } from './useDeliveryActions';

export default function Deliveries() {
  const { t } = useTranslation();
  const [parameters, setParameters] = useSearchParams();
  const exists = useHasDeliveries();
  const filters = filtersOf(parameters);
  const page = pageOf(parameters);
  const destinations = useDestinations();
  const deliveries = useDeliveries({ ...filters, limit: PAGE_SIZE, offset: (page - 1) * PAGE_SIZE });
  const items = deliveries.data?.items ?? [];
  const selection = useSelection(items.map(({ id }) => id));
  const change = (name: Filter | 'page', value: string) => {
    selection.clear();
    setParameters(changed(parameters, name, value), { replace: name === 'q' });
  };

  if (exists === false) {
    return (
      <>
        <PageTitle title={t('pages.deliveries')} />
        <Nothing title={t('deliveries.noRoute')} />
      </>
    );
  }
  return (
    <>
      <PageTitle title={t('pages.deliveries')}>
        <Freshness queries={[deliveries, destinations]} />
      </PageTitle>
      <Stack>
        <Destinations destinations={destinations} onChoose={(name) => change('destination', name)} />
        <section className="panel" aria-label={t('pages.deliveries')}>
          <Stack gap="sm">
            <Group align="flex-end" gap="sm">
              <SearchBox value={filters.q ?? ''} onChange={(text) => change('q', text)} />
              <NativeSelect
                label={t('deliveries.destination')}
                value={filters.destination ?? ''}
                onChange={(event) => change('destination', event.currentTarget.value)}
                data={[
                  { value: '', label: t('extractions.all') },
                  ...(destinations.data?.items.map(({ name }) => name) ?? []),
                ]}
              />
              <Button
                variant="default"
                leftSection={<IconDownload size={16} aria-hidden />}
                onClick={() =>
                  void download(`/api/deliveries.csv?${new URLSearchParams({ ...filters })}`, 'deliveries.csv')
                }
              >
                CSV
              </Button>
            </Group>
            <Group justify="space-between">
              <StateFilter
                states={STATES}
                value={STATES.find((name) => name === filters.state)}
                onChange={(value) => change('state', value)}
              />
              <Actions deliveries={items.filter(({ id }) => selection.chosen.has(id))} onDone={selection.clear} />
            </Group>
            {deliveries.isError && <FailureNotice error={deliveries.error} onRetry={() => void deliveries.refetch()} />}
            {!deliveries.data ? (
              !deliveries.isError && <Skeleton h={400} />
            ) : items.length === 0 ? (
              <Nothing title={t('deliveries.none')}>{t('deliveries.how')}</Nothing>
            ) : (
              <div>
                <DeliveryTable deliveries={items} selection={selection} />
                <ListPages
                  page={page}
                  size={PAGE_SIZE}
                  total={deliveries.data.total}
                  onPage={(to) => change('page', String(to))}
                />
              </div>
            )}
          </Stack>
        </section>
      </Stack>
    </>
  );
}

/** What is typed is asked when the typing pauses. */
function SearchBox({ value, onChange }: { value: string; onChange: (text: string) => void }) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(value);
  const later = useDebouncedCallback(onChange, 300);
  useEffect(() => setDraft(value), [value]);
  return (
    <TextInput
      style={{ flex: '1 1 260px' }}
      type="search"
      label={t('studies.search')}
      placeholder={t('studies.searchFor')}
      leftSection={<IconSearch size={16} aria-hidden />}
      value={draft}
      onChange={(event) => {
        setDraft(event.currentTarget.value);
        later(event.currentTarget.value);
      }}
    />
  );
}

const ICONS = { retry: IconRefresh, cancel: IconPlayerStop };

/** What can be done with the chosen ones; each button counts those whose state allows it. */
function Actions({ deliveries, onDone }: { deliveries: Delivery[]; onDone: () => void }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const act = useDeliveryActions(onDone);
  return (
    <Group gap="xs">
      {(['retry', 'cancel'] as Action[]).map((action) => {
        const Icon = ICONS[action];
        const count = deliveries.filter(({ state }) => allows(action, state)).length;
        return (
          <Button
            key={action}
            size="xs"
            variant={action === 'retry' ? 'filled' : 'default'}
            leftSection={<Icon size={14} aria-hidden />}
            disabled={!isAdmin || count === 0}
            loading={act.isPending && act.variables.action === action}
            onClick={() => act.mutate({ action, deliveries })}
          >
            {t(`deliveries.${action}`, { count })}
          </Button>
        );
      })}
    </Group>
  );
}
