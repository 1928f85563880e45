import { Anchor, Group, Skeleton, Stack, Text, ThemeIcon, Title } from '@mantine/core';
import { IconAlertTriangle, IconInbox, IconSend, IconTopologyStar3 } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Delivery, Extraction, Study } from '../api/models';
import { useDeliveries, useExtractions, useStudies } from '../api/queries';
import { personName, useFormat } from '../common/format';
import { Nothing } from '../common/Nothing';
import { useServerWords } from '../i18n/server-words';

const SHOWN = 12;

interface Event {
  key: string;
  at: string;
  kind: 'arrival' | 'extraction' | 'failure' | 'delivery' | 'deliveryFailure';
  study: string | null;
  why: string | null;
  values: Record<string, string | number>;
}

/** Arrivals, extractions and deliveries as one list, newest first. */
export function eventsOf(studies: Study[], extractions: Extraction[], deliveries: Delivery[]): Event[] {
  const arrivals = studies.map(
    (study): Event => ({
      key: `study-${study.orthanc_id}`,
      at: study.arrived_at,
      kind: 'arrival',
      study: study.orthanc_id,
      why: null,
      values: { who: personName(study.patient_name) || study.patient_id, what: study.modalities.join(', ') },
    }),
  );
  const ended = extractions
    .filter((extraction) => extraction.finished_at !== null)
    .map(
      (extraction): Event => ({
        key: `extraction-${extraction.orthanc_id}`,
        at: extraction.finished_at ?? extraction.enqueued_at,
        kind: extraction.state === 'failed' ? 'failure' : 'extraction',
        study: extraction.study_instance_uid,
        why: extraction.error,
        values: {
          count: extraction.structure_count ?? 0,
          label: extraction.label || 'RTSTRUCT',
        },
      }),
    );
  const sentOn = deliveries
    .filter(({ state }) => state === 'delivered' || state === 'failed')
    .map(
      (delivery): Event => ({
        key: `delivery-${delivery.id}`,
        at: delivery.delivered_at ?? delivery.started_at ?? delivery.created_at,
        kind: delivery.state === 'failed' ? 'deliveryFailure' : 'delivery',
        study: delivery.study_orthanc_id,
        why: delivery.reason,
        values: {
          who: personName(delivery.patient_name) || delivery.patient_id,
          where: delivery.destination,
        },
      }),
    );
  return [...arrivals, ...ended, ...sentOn].sort((a, b) => b.at.localeCompare(a.at)).slice(0, SHOWN);
}

const ICONS = {
  arrival: IconInbox,
  extraction: IconTopologyStar3,
  failure: IconAlertTriangle,
  delivery: IconSend,
  deliveryFailure: IconAlertTriangle,
};

export function Activity() {
  const { t } = useTranslation();
  const format = useFormat();
  const words = useServerWords();
  const studies = useStudies({ sort: 'arrived_at', order: 'desc', limit: SHOWN });
  const extractions = useExtractions({ limit: SHOWN });
  const deliveries = useDeliveries({ limit: SHOWN });
  const loading = studies.isPending || extractions.isPending;
  const events = eventsOf(studies.data?.items ?? [], extractions.data?.items ?? [], deliveries.data?.items ?? []);

  return (
    <section className="panel" aria-labelledby="activity-title">
      <Title order={2} size="h4" id="activity-title" mb="sm">
        {t('activity.title')}
      </Title>
      {loading ? (
        <Skeleton h={220} />
      ) : events.length === 0 ? (
        <Nothing title={t('activity.nothing')}>{t('activity.how')}</Nothing>
      ) : (
        <Stack component="ol" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
          {events.map((event) => {
            const Icon = ICONS[event.kind];
            const text = t(`activity.${event.kind}`, { ...event.values, why: words(event.why).text });
            return (
              <Group component="li" key={event.key} gap="sm" wrap="nowrap" data-activity={event.kind}>
                <ThemeIcon variant="default" radius="xl" aria-hidden>
                  <Icon size={16} />
                </ThemeIcon>
                <Text size="sm" style={{ flex: 1, minWidth: 0, overflowWrap: 'anywhere' }}>
                  {event.study ? (
                    <Anchor component={Link} to={`/studies/${event.study}`} inherit underline="always">
                      {text}
                    </Anchor>
                  ) : (
                    text
                  )}
                </Text>
                <Text size="xs" c="dimmed" component="time" dateTime={event.at} title={format.moment(event.at)}>
                  {format.ago(event.at)}
                </Text>
              </Group>
            );
          })}
        </Stack>
      )}
    </section>
  );
}
