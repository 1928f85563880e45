import { Skeleton, Text, Title } from '@mantine/core';
import { IconChartLine } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Status } from '../api/models';
import { useDoorAddress } from '../common/doors';
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

/** Grafana's page about a service, by the dashboards' uids in observability/grafana; the others stand on the wall's screen. */
const GRAFANA_PAGES: Record<string, string> = { orthanc: 'pacs-orthanc', dcm4chee: 'pacs-dcm4chee' };

function GrafanaLink({ service }: { service: string }) {
  const { t } = useTranslation();
  const address = useDoorAddress();
  const title = t('services.grafana', { service: SERVICE_NAMES[service] });
  return (
    <a
      href={address('grafana', `/d/${GRAFANA_PAGES[service] ?? 'pacs-platform'}`)}
      target="_blank"
      rel="noreferrer"
      aria-label={title}
      title={title}
    >
      <IconChartLine size={16} aria-hidden />
    </a>
  );
}

export function Services({ status }: { status: Status | undefined }) {
  const { t } = useTranslation();
  const format = useFormat();
  const grafana = status?.services.find((service) => service.name === 'grafana')?.state;
  const drawn = grafana === 'up' || grafana === 'degraded';
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
                    {SERVICE_NAMES[service.name] ?? service.name}{' '}
                    {drawn && service.name in SERVICE_NAMES && <GrafanaLink service={service.name} />}
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
