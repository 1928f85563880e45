import { ActionIcon, Anchor, Checkbox, Group, Progress, Text } from '@mantine/core';
import { IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import type { Delivery } from '../api/models';
import { useDestinations } from '../api/queries';
import { personName, useFormat } from '../common/format';
import { Said } from '../common/Said';
import { SelectAll } from '../common/SelectAll';
import { StateBadge } from '../common/StateBadge';
import type { Selection } from '../common/selection';
import { WideTable } from '../common/WideTable';
import { useIsAdmin } from '../session/session';
import { allows } from './search';
import { useDeliveryActions } from './useDeliveryActions';

interface Props {
  deliveries: Delivery[];
  selection: Selection<Delivery['id']>;
}

export function DeliveryTable({ deliveries, selection }: Props) {
  const { t } = useTranslation();
  return (
    <WideTable of={t('pages.deliveries')} minWidth={940}>
      <thead>
        <tr>
          <SelectAll selection={selection} />
          <th>{t('pages.study')}</th>
          <th>{t('deliveries.destination')}</th>
          <th>{t('services.state')}</th>
          <th className="number">{t('studies.instance_count')}</th>
          <th className="number">{t('studies.size_bytes')}</th>
          <th className="number">{t('extractions.attempts')}</th>
          <th>{t('extractions.when')}</th>
          <th>{t('studies.actions')}</th>
        </tr>
      </thead>
      <tbody>
        {deliveries.map((delivery) => (
          <Row key={delivery.id} delivery={delivery} selection={selection} />
        ))}
      </tbody>
    </WideTable>
  );
}

function Row({ delivery, selection }: { delivery: Delivery; selection: Selection<Delivery['id']> }) {
  const { t } = useTranslation();
  const format = useFormat();
  const isAdmin = useIsAdmin();
  const act = useDeliveryActions();
  const name = personName(delivery.patient_name) || delivery.patient_id || delivery.study_instance_uid;
  const moment = delivery.delivered_at ?? delivery.started_at ?? delivery.created_at;
  const action = allows('retry', delivery.state) ? 'retry' : 'cancel';
  const label = t(`deliveries.${action}One`, { name, destination: delivery.destination });
  return (
    <tr data-delivery={delivery.state} data-destination={delivery.destination}>
      <td>
        <Checkbox
          aria-label={t('extractions.selectOne', { name })}
          checked={selection.chosen.has(delivery.id)}
          onChange={() => selection.toggle(delivery.id)}
        />
      </td>
      <td className="long-words">
        <Anchor component={Link} to={`/studies/${delivery.study_orthanc_id}`} size="sm" fw={600}>
          {name}
        </Anchor>
        <Text size="xs" c="dimmed">
          {[delivery.patient_id, delivery.study_description].filter(Boolean).join(' · ')}
        </Text>
      </td>
      <td>{delivery.destination}</td>
      <td>
        <DeliveryProgress delivery={delivery} />
      </td>
      <td className="number">{format.number(delivery.instances_total)}</td>
      <td className="number">{format.bytes(delivery.bytes_total)}</td>
      <td className="number">{format.number(delivery.attempts)}</td>
      <td className="one-line">
        <time dateTime={moment} title={format.moment(moment)}>
          {format.ago(moment)}
        </time>
        {delivery.duration_s !== null && (
          <Text size="xs" c="dimmed">
            {format.duration(delivery.duration_s)}
          </Text>
        )}
      </td>
      <td>
        {isAdmin && allows(action, delivery.state) && (
          <ActionIcon
            variant="default"
            size="lg"
            aria-label={label}
            title={label}
            loading={act.isPending}
            onClick={() => act.mutate({ action, deliveries: [delivery] })}
          >
            {action === 'retry' ? <IconRefresh size={18} aria-hidden /> : <IconPlayerStop size={18} aria-hidden />}
          </ActionIcon>
        )}
      </td>
    </tr>
  );
}

/** The state of a delivery, with how far it is, why it failed, when it is tried again, how it was proven. */
export function DeliveryProgress({ delivery }: { delivery: Delivery }) {
  const { t } = useTranslation();
  const format = useFormat();
  const { state, instances_sent, instances_total, next_try_at, proof } = delivery;
  const destination = useDestinations().data?.items.find(({ name }) => name === delivery.destination);
  // What waits for a destination that is away has not been tried, and so has no reason of its own.
  const reason = delivery.reason ?? (state === 'waiting' && destination?.state !== 'up' ? destination?.reason : null);
  return (
    <>
      <StateBadge state={state} />
      {state === 'sending' && (
        <Group gap="xs" wrap="nowrap">
          <Progress
            flex={1}
            miw={80}
            value={instances_total ? (100 * instances_sent) / instances_total : 0}
            aria-label={t('upload.progress')}
          />
          <Text size="xs">{`${format.number(instances_sent)} / ${format.number(instances_total)}`}</Text>
        </Group>
      )}
      {state === 'delivered' && proof && (
        <Text size="xs" c="dimmed">
          {t(`deliveries.proofs.${proof}`)}
        </Text>
      )}
      {state !== 'delivered' && reason && <Said of={[reason]} size="xs" className="long-words" />}
      {state === 'waiting' && next_try_at && Date.parse(next_try_at) > Date.now() && (
        <Text size="xs" c="dimmed">
          {t('extractions.next', { when: format.ago(next_try_at) })}
        </Text>
      )}
    </>
  );
}
