import { Button, Grid, Group, Skeleton, Stack, Tabs, Text, Title } from '@mantine/core';
import { IconCube, IconEye } from '@tabler/icons-react';
import { lazy, Suspense, useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Series } from '../api/models';
import { useHasRoute } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { useFormat } from '../common/format';
import { Nothing } from '../common/Nothing';
import { SliceViewer } from '../viewer/SliceViewer';
import { Downloads } from './Downloads';
import { hasPictures } from './modalities';
import { QualityReport } from './QualityReport';
import { useContours, useQuality, useStack, useStructureSet, useTable } from './queries';
import { StructureTable } from './StructureTable';

const Scene3d = lazy(() => import('../viewer/Scene3d'));
const DvhChart = lazy(() => import('./DvhChart'));
const EXTRACT = '/api/extract-rt/{instance_id}';

interface Props {
  instance: string;
  /** All series of the study. */
  series: Series[];
  /** The series chosen by hand; undefined: the one that the structures were drawn on. */
  chosen: Series | undefined;
  onImages: (series: Series) => void;
}

export function StructureSetPanel({ instance, series, chosen, onImages }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const set = useStructureSet(instance);
  const contours = useContours(instance);
  const table = useTable(instance);
  const hasTable = useHasRoute(`${EXTRACT}/table.csv`);
  const quality = useQuality(instance);
  const hasMeshes = useHasRoute(`${EXTRACT}/mesh.glb`);
  const hasDvh = useHasRoute(`${EXTRACT}/dvh`);
  const [hidden, setHidden] = useState<ReadonlySet<number>>(new Set());
  const [goTo, setGoTo] = useState<{ number: number; at: number } | null>(null);
  const [view, setView] = useState<string | null>('slices');

  const pictures = series.filter(({ modality }) => hasPictures(modality));
  const drawnOn = quality.data?.compared_series_uid ?? set.data?.referenced_series_uid;
  // Known once the report has said it, or will never say it.
  const decided = quality.data || quality.isError || quality.fetchStatus === 'idle';
  const images =
    chosen ??
    (decided
      ? (pictures.find(({ series_instance_uid }) => series_instance_uid === drawnOn) ?? pictures[0])
      : undefined);
  const stack = useStack(images?.orthanc_id);
  const hasDose = series.some(({ modality }) => modality === 'RTDOSE');

  useEffect(() => {
    if (images && !chosen) onImages(images);
  }, [images, chosen, onImages]);

  if (set.isError) return <FailureNotice error={set.error} onRetry={() => void set.refetch()} />;
  if (!set.data) return <Skeleton h={600} />;
  return (
    <Stack>
      <Group justify="space-between">
        <Text size="sm" c="dimmed">
          {[
            set.data.label,
            format.date(set.data.date),
            set.data.approval_status,
            t('structures.count', { count: set.data.structures.length }),
          ]
            .filter(Boolean)
            .join(' · ')}
        </Text>
        <Downloads instance={instance} label={set.data.label} hasDose={hasDose} />
      </Group>
      <Grid>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <Tabs value={view} onChange={setView} keepMounted={false}>
            <Tabs.List mb="sm">
              <Tabs.Tab value="slices" leftSection={<IconEye size={16} aria-hidden />}>
                {t('viewer.slices')}
              </Tabs.Tab>
              <Tabs.Tab value="space" leftSection={<IconCube size={16} aria-hidden />}>
                {t('viewer.space')}
              </Tabs.Tab>
            </Tabs.List>
            <Tabs.Panel value="slices">
              {contours.isError && <FailureNotice error={contours.error} onRetry={() => void contours.refetch()} />}
              {stack.isError && <FailureNotice error={stack.error} onRetry={() => void stack.refetch()} />}
              {decided && !images ? (
                <Nothing title={t('viewer.noImages')} />
              ) : stack.data && images ? (
                <SliceViewer
                  key={images.orthanc_id}
                  stack={stack.data}
                  modality={images.modality}
                  structures={contours.data}
                  hidden={hidden}
                  goTo={goTo}
                />
              ) : (
                !stack.isError && <Skeleton h={480} />
              )}
            </Tabs.Panel>
            <Tabs.Panel value="space">
              <Suspense fallback={<Skeleton h={480} />}>
                {contours.data && hasMeshes !== undefined ? (
                  <Scene3d instance={instance} structures={contours.data} hidden={hidden} hasMeshes={hasMeshes} />
                ) : (
                  <Skeleton h={480} />
                )}
              </Suspense>
            </Tabs.Panel>
          </Tabs>
        </Grid.Col>
        <Grid.Col span={{ base: 12, lg: 6 }}>
          <StructureTable
            set={set.data}
            table={hasTable === false || table.isError ? null : table.data}
            hidden={hidden}
            onHide={setHidden}
            onGoTo={(number) => {
              setView('slices');
              setGoTo({ number, at: Date.now() });
            }}
          />
        </Grid.Col>
      </Grid>
      {hasDose && hasDvh && (
        <section aria-labelledby="dvh-title">
          <Title order={3} size="h5" id="dvh-title" mb="xs">
            {t('dvh.title')}
          </Title>
          <OnRequest label={t('dvh.show')}>
            <Suspense fallback={<Skeleton h={340} />}>
              <DvhChart instance={instance} hidden={hidden} />
            </Suspense>
          </OnRequest>
        </section>
      )}
      <section aria-labelledby="quality-title">
        <Title order={3} size="h5" id="quality-title" mb="xs">
          {t('quality.title')}
        </Title>
        <QualityReport instance={instance} />
      </section>
    </Stack>
  );
}

/** What costs the server seconds is computed when somebody asks for it. */
function OnRequest({ label, children }: { label: string; children: React.ReactNode }) {
  const [asked, setAsked] = useState(false);
  if (asked) return children;
  return (
    <Button variant="default" onClick={() => setAsked(true)}>
      {label}
    </Button>
  );
}
