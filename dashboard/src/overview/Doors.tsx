import { Button, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconExternalLink } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Status } from '../api/models';
import { ohifPath, useDoorAddress } from '../common/doors';
import { SERVICE_NAMES } from './Services';

const DOORS = ['ohif', 'orthanc', 'dcm4chee', 'xnat', 'grafana', 'prometheus'] as const;

/** One click to each other tool; one that would not open says why. */
export function Doors({ status }: { status: Status | undefined }) {
  const { t } = useTranslation();
  const address = useDoorAddress();
  return (
    <section className="panel" aria-labelledby="doors-title" style={{ height: '100%' }}>
      <Title order={2} size="h4" id="doors-title" mb="sm">
        {t('doors.title')}
      </Title>
      <SimpleGrid cols={{ base: 1, xs: 2 }}>
        {DOORS.map((name) => {
          const state = status?.services.find((service) => service.name === name)?.state ?? 'not_configured';
          const closed = state === 'down' || state === 'not_configured';
          const title = name === 'orthanc' ? 'Orthanc Explorer' : SERVICE_NAMES[name];
          return (
            <Stack key={name} gap={2} data-door={name}>
              {closed ? (
                <Button variant="default" px="xs" disabled aria-describedby={`door-${name}`}>
                  {title}
                </Button>
              ) : (
                <Button
                  component="a"
                  href={name === 'ohif' ? address(name, ohifPath()) : address(name)}
                  target="_blank"
                  rel={name === 'ohif' ? 'opener' : 'noreferrer'}
                  variant="default"
                  px="xs"
                  rightSection={<IconExternalLink size={16} aria-hidden />}
                >
                  {title}
                </Button>
              )}
              <Text size="xs" c="dimmed" id={`door-${name}`} mih={19}>
                {closed ? t(`doors.${state}`) : t(`doors.about.${name}`)}
              </Text>
            </Stack>
          );
        })}
      </SimpleGrid>
    </section>
  );
}
