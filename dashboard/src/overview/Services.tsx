import { Skeleton, Table, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Status } from '../api/models';
import { useFormat } from '../common/format';
import { StateBadge } from '../common/StateBadge';
import { WideTable } from '../common/WideTable';

/** The names of the services are their own, in every language. */
export const SERVICE_NAMES: Record<string, string> = {
  orthanc: 'Orthanc',
  postgres: 'PostgreSQL',
  dashboard: 'Dashboard',
  ohif: 'OHIF',
  dcm4chee: 'DCM4CHEE',
  xnat: 'XNAT',
  prometheus: 'Prometheus',
  grafana: 'Grafana',
};

export function Services({ status }: { status: Status | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <section className="panel" aria-labelledby="services-title" style={{ height: '100%' }}>
      <Title order={2} size="h4" id="services-title" mb="sm">
        {t('services.title')}
      </Title>
      {!status ? (
        <Skeleton h={300} />
      ) : (
        <WideTable of={t('services.title')}>
          <Table verticalSpacing={6}>
            <Table.Thead>
              <Table.Tr>
                <Table.Th>{t('services.name')}</Table.Th>
                <Table.Th>{t('services.state')}</Table.Th>
                <Table.Th ta="right">{t('services.latency')}</Table.Th>
                <Table.Th>{t('services.since')}</Table.Th>
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {status.services.map((service) => (
                <Table.Tr key={service.name} data-service={service.name}>
                  <Table.Td>
                    <Text size="sm" fw={600}>
                      {SERVICE_NAMES[service.name] ?? service.name}
                    </Text>
                    {service.version && (
                      <Text size="xs" c="dimmed">
                        {service.version}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td>
                    <StateBadge state={service.state} />
                    {service.reason && service.state !== 'not_configured' && (
                      <Text size="xs" c="dimmed" lang="en">
                        {service.reason}
                      </Text>
                    )}
                  </Table.Td>
                  <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
                    {service.latency_ms === null ? '–' : `${format.decimal(service.latency_ms, 1)} ms`}
                  </Table.Td>
                  <Table.Td style={{ whiteSpace: 'nowrap' }}>
                    {service.state === 'not_configured' ? (
                      '–'
                    ) : (
                      <time dateTime={service.since} title={format.moment(service.since)}>
                        {format.ago(service.since)}
                      </time>
                    )}
                  </Table.Td>
                </Table.Tr>
              ))}
            </Table.Tbody>
          </Table>
        </WideTable>
      )}
    </section>
  );
}
