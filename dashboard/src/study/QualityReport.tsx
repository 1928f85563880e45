import { Alert, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertTriangle, IconCheck } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { sendAndFollow } from '../api/client';
import { useHasRoute } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { Nothing } from '../common/Nothing';
import { tell } from '../common/notices';
import { Said } from '../common/Said';
import { useIsAdmin } from '../session/session';
import { Findings } from './Findings';
import { useQuality } from './queries';

interface Repaired {
  result: string;
  changes: { code: string; message: string }[];
}

export function QualityReport({ instance }: { instance: string }) {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  const queries = useQueryClient();
  const quality = useQuality(instance);
  const exists = useHasRoute('/api/extract-rt/{instance_id}/quality');
  const repairs = useHasRoute('/api/extract-rt/{instance_id}/repair');
  const repair = useMutation({
    mutationFn: () => sendAndFollow<Repaired>(`/api/extract-rt/${instance}/repair`, {}),
    onSuccess: () => {
      tell(t('quality.repaired'));
      void queries.invalidateQueries({ queryKey: ['study'] });
    },
  });

  if (exists === false) return <Nothing title={t('quality.noRoute')} />;
  if (quality.isError) return <FailureNotice error={quality.error} onRetry={() => void quality.refetch()} />;
  if (!quality.data) return <Skeleton h={120} />;
  const { findings, viewable_in_ohif, ohif_reasons } = quality.data;
  // Most reasons are findings themselves, and stand below.
  const unsaid = ohif_reasons.filter((reason) => !findings.some(({ message }) => message === reason.message));
  return (
    <Stack gap="sm" className="long-words">
      {!viewable_in_ohif && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
          <Stack gap="xs" align="flex-start" className="long-words">
            <Text fw={600} c="var(--mantine-color-text)">
              {t('quality.hidden')}
            </Text>
            {unsaid.map(({ code, message }) => (
              <Said key={code} of={[message]} c="var(--mantine-color-text)" />
            ))}
            {repairs && (
              <Group>
                <Button size="xs" disabled={!isAdmin} loading={repair.isPending} onClick={() => repair.mutate()}>
                  {t('quality.repair')}
                </Button>
                <Text size="sm" c="var(--mantine-color-text)">
                  {isAdmin ? t('quality.repairAbout') : t('quality.repairAdmin')}
                </Text>
              </Group>
            )}
          </Stack>
        </Alert>
      )}
      {repair.isError && <FailureNotice error={repair.error} />}
      {repair.data?.changes.map(({ code, message }) => (
        <Said key={code} of={[message]} />
      ))}
      {findings.length === 0 ? (
        <Group gap="xs">
          <IconCheck aria-hidden />
          <Text>{t('quality.good')}</Text>
        </Group>
      ) : (
        <Findings findings={findings} />
      )}
    </Stack>
  );
}
