import { Badge, Button, Group, SimpleGrid, Skeleton, Text, Title, UnstyledButton } from '@mantine/core';
import { IconPlugConnected, IconShieldLock } from '@tabler/icons-react';
import { type UseQueryResult, useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { send } from '../api/client';
import type { Destination } from '../api/models';
import { FailureNotice } from '../common/FailureNotice';
import { useFormat } from '../common/format';
import { Nothing } from '../common/Nothing';
import { Said } from '../common/Said';
import { StateBadge } from '../common/StateBadge';
import { useIsAdmin } from '../session/session';

interface Props {
  destinations: UseQueryResult<{ items: Destination[] }>;
  onChoose: (name: string) => void;
}

/** Where studies can go, whether it answers, and what waits for it. */
export function Destinations({ destinations, onChoose }: Props) {
  const { t } = useTranslation();
  const items = destinations.data?.items;
  return (
    <section className="panel" aria-labelledby="destinations-title">
      <Title order={2} size="h4" id="destinations-title" mb="sm">
        {t('deliveries.destinations')}
      </Title>
      {destinations.isError && <FailureNotice error={destinations.error} onRetry={() => void destinations.refetch()} />}
      {!items ? (
        !destinations.isError && <Skeleton h={110} />
      ) : items.length === 0 ? (
        <Nothing title={t('deliveries.noDestination')}>{t('deliveries.configure')}</Nothing>
      ) : (
        <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }}>
          {items.map((destination) => (
            <OneDestination key={destination.name} destination={destination} onChoose={onChoose} />
          ))}
        </SimpleGrid>
      )}
    </section>
  );
}

function OneDestination(props: { destination: Destination; onChoose: (name: string) => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  const isAdmin = useIsAdmin();
  const queries = useQueryClient();
  const { destination, onChoose } = props;
  const { name, state, reason, since, last_success_at, waiting, failed } = destination;
  const probe = useMutation({
    mutationFn: () =>
      send<Destination>('POST', `/api/destinations/${encodeURIComponent(name)}/probe`, { timeout: 60_000 }),
    onSettled: () => queries.invalidateQueries({ queryKey: ['destinations'] }),
  });
  return (
    <div className="panel long-words" data-destination-card={name}>
      <Group justify="space-between" wrap="nowrap" align="flex-start">
        <div>
          <UnstyledButton onClick={() => onChoose(name)} title={t('deliveries.onlyThese')}>
            <Text fw={700}>{name}</Text>
          </UnstyledButton>
          <Text size="xs" c="dimmed">
            {`${t(`deliveries.kinds.${destination.kind}`)} · ${destination.address}`}
          </Text>
        </div>
        <StateBadge state={state} />
      </Group>
      {destination.deidentified && <Deidentified profile={destination.profile} />}
      {reason && <Said of={[reason]} size="xs" mt={4} />}
      <Group justify="space-between" mt="xs" align="flex-end">
        <Text size="xs" c="dimmed">
          {t('deliveries.standing', { waiting: format.number(waiting), failed: format.number(failed) })}
          <br />
          {last_success_at
            ? t('deliveries.lastSuccess', { when: format.ago(last_success_at) })
            : since && `${t('services.since')} ${format.moment(since)}`}
        </Text>
        <Button
          size="xs"
          variant="default"
          disabled={!isAdmin}
          loading={probe.isPending}
          leftSection={<IconPlugConnected size={14} aria-hidden />}
          onClick={() => probe.mutate()}
        >
          {t('deliveries.probe')}
        </Button>
      </Group>
      {probe.isError && <FailureNotice error={probe.error} />}
    </div>
  );
}

/** That names are taken out on the way there. */
export function Deidentified({ profile }: { profile: string | null }) {
  const { t } = useTranslation();
  return (
    <Badge
      variant="default"
      size="sm"
      mt={4}
      leftSection={<IconShieldLock size={12} aria-hidden />}
      title={profile ?? undefined}
    >
      {t('deliveries.deidentified')}
    </Badge>
  );
}
