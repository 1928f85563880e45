import { Alert, Button, Stack, Text } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Failure } from '../api/client';
import { Said } from './Said';

/** What went wrong and what to do, with the server's own words where it has some. */
export function FailureNotice({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const failure = error instanceof Failure ? error : new Failure('refused', null, String(error), '');
  return (
    <Alert color="red" role="alert" icon={<IconAlertCircle aria-hidden />}>
      <Stack gap="xs" align="flex-start" className="long-words">
        <Text fw={600} c="var(--mantine-color-text)">
          {t(`failure.${failure.kind}`)}
        </Text>
        {(failure.detail || failure.remedy) && (
          <Said of={[failure.detail, failure.remedy]} c="var(--mantine-color-text)" />
        )}
        {onRetry && (
          <Button size="xs" variant="default" onClick={onRetry}>
            {t('retry')}
          </Button>
        )}
      </Stack>
    </Alert>
  );
}
