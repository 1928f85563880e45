import { Skeleton, Text, Title } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Status } from '../api/models';
import { useFormat } from '../common/format';
import { Said } from '../common/Said';
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
          <thead>
            <tr>
              <th>{t('services.name')}</th>
              <th>{t('services.state')}</th>
              <th className="number">{t('services.latency')}</th>
              <th>{t('services.since')}</th>
            </tr>
          </thead>
          <tbody>
            {status.services.map((service) => (
              <tr key={service.name} data-service={service.name}>
                <td>
                  <Text size="sm" fw={600}>
                    {SERVICE_NAMES[service.name] ?? service.name}
                  </Text>
                  {service.version && (
                    <Text size="xs" c="dimmed">
                      {service.version}
                    </Text>
                  )}
                </td>
                <td>
                  <StateBadge state={service.state} />
                  {service.reason && service.state !== 'not_configured' && (
                    <Said of={[service.reason]} size="xs" c="dimmed" />
                  )}
                </td>
                <td className="number">
                  {service.latency_ms === null ? '–' : `${format.decimal(service.latency_ms, 1)} ms`}
                </td>
                <td className="one-line">
                  {service.state === 'not_configured' ? (
                    '–'
                  ) : (
                    <time dateTime={service.since} title={format.moment(service.since)}>
                      {format.ago(service.since)}
                    </time>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </WideTable>
      )}
    </section>
  );
}
