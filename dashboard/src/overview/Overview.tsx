import { Grid, SegmentedControl, Skeleton, Stack, Title } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useStatistics, useStatus } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { Freshness } from '../common/Freshness';
import { Nothing } from '../common/Nothing';
import { PageTitle } from '../common/PageTitle';
import { Activity } from './Activity';
import { Doors } from './Doors';
import { Figures } from './Figures';
import { Services } from './Services';

const Charts = lazy(() => import('./Charts'));
const PERIODS = ['30', '90', '365'];

export function Overview() {
  const { t } = useTranslation();
  const [days, setDays] = useState('90');
  const status = useStatus();
  const statistics = useStatistics(Number(days));
  const failed = [status, statistics].find((query) => query.isError);

  return (
    <>
      <PageTitle title={t('pages.overview')}>
        <Freshness queries={[status, statistics]} />
      </PageTitle>
      <Stack>
        {failed && (
          <FailureNotice
            error={failed.error}
            onRetry={() => {
              void status.refetch();
              void statistics.refetch();
            }}
          />
        )}
        <Figures statistics={statistics.data} />
        <Grid>
          <Grid.Col span={{ base: 12, lg: 7 }}>
            <Services status={status.data} />
          </Grid.Col>
          <Grid.Col span={{ base: 12, lg: 5 }}>
            <Doors status={status.data} />
          </Grid.Col>
        </Grid>
        <section className="panel" aria-labelledby="charts-title">
          <PageTitleRow title={t('charts.title')} id="charts-title">
            <SegmentedControl
              size="xs"
              aria-label={t('charts.period')}
              value={days}
              onChange={setDays}
              data={PERIODS.map((value) => ({ value, label: t('charts.days', { count: Number(value) }) }))}
            />
          </PageTitleRow>
          <Suspense fallback={<Skeleton h={260} />}>
            {!statistics.data ? (
              <Skeleton h={260} />
            ) : statistics.data.studies === 0 ? (
              <Nothing title={t('studies.none')} />
            ) : (
              <Charts statistics={statistics.data} days={Number(days)} />
            )}
          </Suspense>
        </section>
        <Activity />
      </Stack>
    </>
  );
}

function PageTitleRow({ title, id, children }: { title: string; id: string; children: React.ReactNode }) {
  return (
    <div style={{ display: 'flex', justifyContent: 'space-between', gap: 12, flexWrap: 'wrap', marginBottom: 12 }}>
      <Title order={2} size="h4" id={id}>
        {title}
      </Title>
      {children}
    </div>
  );
}
