import { Badge, Button, Group, SimpleGrid, Text, Title } from '@mantine/core';
import { IconPhotoOff, IconTags } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Series } from '../api/models';
import { useFormat } from '../common/format';
import { usePicture } from '../common/usePicture';
import { hasPictures } from './modalities';
import { useInstances } from './queries';
import { Tags } from './Tags';

interface Props {
  series: Series[];
  /** The series in the viewer. */
  shown: string | undefined;
  onShow: (series: Series) => void;
}

export function SeriesList({ series, shown, onShow }: Props) {
  const { t } = useTranslation();
  const [tagged, setTagged] = useState<Series | null>(null);
  return (
    <section className="panel" aria-labelledby="series-title">
      <Title order={2} size="h4" id="series-title" mb="sm">
        {t('figures.series')} ({series.length})
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3, xl: 4 }}>
        {series.map((each) => (
          <Card
            key={each.orthanc_id}
            series={each}
            shown={each.orthanc_id === shown}
            onShow={() => onShow(each)}
            onTags={() => setTagged(each)}
          />
        ))}
      </SimpleGrid>
      <Tags series={tagged} onClose={() => setTagged(null)} />
    </section>
  );
}

function Card(props: { series: Series; shown: boolean; onShow: () => void; onTags: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { series, shown, onShow, onTags } = props;
  return (
    <div
      className="panel"
      data-series={series.modality}
      style={{ padding: 8, borderColor: shown ? 'var(--mantine-color-anchor)' : undefined }}
    >
      <Group wrap="nowrap" gap="sm" align="flex-start">
        {hasPictures(series.modality) ? <Thumbnail series={series} /> : <NoPicture />}
        <div style={{ minWidth: 0, flex: 1 }}>
          <Badge variant="default" radius="sm">
            {series.modality}
          </Badge>
          <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
            {series.description || t('study.noDescription')}
          </Text>
          <Text size="xs" c="dimmed">
            {t('study.instances', { count: series.instance_count, shown: format.number(series.instance_count) })} ·{' '}
            {format.bytes(series.size_bytes)}
          </Text>
          <Text size="xs" c="dimmed" style={{ overflowWrap: 'anywhere' }}>
            {[series.manufacturer, series.station, series.body_part].filter(Boolean).join(' · ')}
          </Text>
          <Group gap={4} mt={4}>
            {hasPictures(series.modality) && (
              <Button size="compact-xs" variant={shown ? 'filled' : 'default'} aria-pressed={shown} onClick={onShow}>
                {t('study.show')}
              </Button>
            )}
            <Button
              size="compact-xs"
              variant="default"
              leftSection={<IconTags size={12} aria-hidden />}
              onClick={onTags}
              aria-label={t('study.tagsOf', { of: series.description || series.modality })}
            >
              {t('study.tags')}
            </Button>
          </Group>
        </div>
      </Group>
    </div>
  );
}

const SIZE = { width: 88, height: 88, borderRadius: 6, flexShrink: 0, background: '#000' } as const;

function Thumbnail({ series }: { series: Series }) {
  const { data } = useInstances(series.orthanc_id);
  const middle = data && [...data].sort((a, b) => (a.IndexInSeries ?? 0) - (b.IndexInSeries ?? 0))[data.length >> 1];
  const picture = usePicture(middle ? `/orthanc/instances/${middle.ID}/preview?quality=80` : null);
  return picture ? <img src={picture} alt="" style={{ ...SIZE, objectFit: 'contain' }} /> : <div style={SIZE} />;
}

function NoPicture() {
  return (
    <div style={{ ...SIZE, background: 'var(--mantine-color-default-hover)', display: 'grid', placeItems: 'center' }}>
      <IconPhotoOff size={28} aria-hidden opacity={0.5} />
    </div>
  );
}
