import { Alert, Anchor, Button, Group, Skeleton, Stack, Text, Title } from '@mantine/core';
import { IconSend } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { send } from '../api/client';
import type { Delivery, Study } from '../api/models';
import { useDeliveries, useDestinations } from '../api/queries';
import { Dialog } from '../common/Dialog';
import { FailureNotice } from '../common/FailureNotice';
import { personName, useFormat } from '../common/format';
import { Nothing } from '../common/Nothing';
import { StateBadge } from '../common/StateBadge';
import { DeliveryProgress } from './DeliveryTable';
import { Deidentified } from './Destinations';

const SHOWN = 20;

/** Sends one study to a destination of choice, and shows how its deliveries do. */
export function SendStudy({ study, onClose }: { study: Study | null; onClose: () => void }) {
  const { t } = useTranslation();
  return (
    <Dialog opened={study !== null} onClose={onClose} title={t('deliveries.sendTitle')} size="lg">
      {study && <Content study={study} onClose={onClose} />}
    </Dialog>
  );
}

function Content({ study, onClose }: { study: Study; onClose: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const destinations = useDestinations();
  const deliveries = useDeliveries({ study: study.study_instance_uid, limit: SHOWN });
  const sending = useMutation({
    mutationFn: (destination: string) =>
      send<Delivery>('POST', '/api/deliveries', { data: { study: study.orthanc_id, destination } }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['deliveries'] }),
  });
  const items = deliveries.data?.items ?? [];
  return (
    <Stack>
      <Text>
        {[personName(study.patient_name) || study.patient_id, study.description || study.modalities.join(', ')].join(
          ' – ',
        )}
      </Text>
      {destinations.isError && <FailureNotice error={destinations.error} />}
      {!destinations.data ? (
        !destinations.isError && <Skeleton h={60} />
      ) : destinations.data.items.length === 0 ? (
        <Nothing title={t('deliveries.noDestination')}>{t('deliveries.configure')}</Nothing>
      ) : (
        destinations.data.items.map(({ name, kind, state, deidentified, profile }) => (
          <Group key={name} justify="space-between" wrap="nowrap" data-send-to={name}>
            <div className="long-words">
              <Text fw={600}>{name}</Text>
              <Text size="xs" c="dimmed">
                {t(`deliveries.kinds.${kind}`)}
              </Text>
              {deidentified && <Deidentified profile={profile} />}
            </div>
            <Group wrap="nowrap">
              <StateBadge state={state} />
              <Button
                leftSection={<IconSend size={16} aria-hidden />}
                aria-label={t('deliveries.sendTo', { name })}
                loading={sending.isPending && sending.variables === name}
                onClick={() => sending.mutate(name)}
              >
                {t('deliveries.send')}
              </Button>
            </Group>
          </Group>
        ))
      )}
      {sending.isError && <FailureNotice error={sending.error} />}
      {sending.isSuccess && (
        <Alert color="cyan" role="status">
          {t('deliveries.accepted', { destination: sending.data.destination })}
        </Alert>
      )}
      {items.length > 0 && (
        <section aria-labelledby="sent-title">
          <Title order={3} size="h5" id="sent-title" mb="xs">
            {t('deliveries.ofStudy')}
          </Title>
          <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
            {items.map((delivery) => (
              <Group
                component="li"
                key={delivery.id}
                justify="space-between"
                align="flex-start"
                data-sent={delivery.state}
              >
                <Text size="sm">
                  {delivery.destination}, {format.ago(delivery.created_at)}
                </Text>
                <div style={{ maxWidth: '60%' }}>
                  <DeliveryProgress delivery={delivery} />
                </div>
              </Group>
            ))}
          </Stack>
        </section>
      )}
      <Anchor component={Link} to={`/deliveries?study=${study.study_instance_uid}`} onClick={onClose} size="sm">
        {t('deliveries.toPage')}
      </Anchor>
    </Stack>
  );
}
