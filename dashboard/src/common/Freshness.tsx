import { Badge, Group, Text } from '@mantine/core';
import { IconAlertTriangle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFormat } from './format';

interface Query {
  dataUpdatedAt: number;
  isError: boolean;
  data: unknown;
}

/** When what is shown was last heard from the server, and whether that is still so. */
export function Freshness({ queries }: { queries: Query[] }) {
  const { t } = useTranslation();
  const format = useFormat();
  const heard = queries.filter((query) => query.data !== undefined);
  const stale = heard.some((query) => query.isError);
  const oldest = Math.min(...heard.map((query) => query.dataUpdatedAt));
  return (
    <Group gap="xs" mih={26} aria-live="polite">
      {stale && (
        <Badge color="red.9" variant="filled" size="lg" leftSection={<IconAlertTriangle size={14} aria-hidden />}>
          {t('freshness.stale')}
        </Badge>
      )}
      {heard.length > 0 && (
        <Text size="sm" c="dimmed" aria-live="off">
          {t('freshness.updated', { at: format.clock(oldest) })}
        </Text>
      )}
    </Group>
  );
}
