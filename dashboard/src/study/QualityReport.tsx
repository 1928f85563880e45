import { Alert, Badge, Button, Group, Skeleton, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconAlertTriangle, IconCheck, IconInfoCircle } from '@tabler/icons-react';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { send } from '../api/client';
import { useHasRoute } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { Nothing } from '../common/Nothing';
import { tell } from '../common/notices';
import { Said } from '../common/Said';
import { useIsAdmin } from '../session/session';
import { useQuality } from './queries';

const ICONS = { error: IconAlertCircle, warning: IconAlertTriangle, info: IconInfoCircle } as const;
const COLORS = { error: 'red', warning: 'yellow', info: 'cyan' } as const;
const SHOWN = 100;

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
    mutationFn: () => send<Repaired>('POST', `/api/extract-rt/${instance}/repair`, { data: {}, timeout: 300_000 }),
    onSuccess: () => {
      tell(t('quality.repaired'));
      void queries.invalidateQueries({ queryKey: ['study'] });
    },
  });

  if (exists === false) return <Nothing title={t('quality.noRoute')} />;
  if (quality.isError) return <FailureNotice error={quality.error} onRetry={() => void quality.refetch()} />;
  if (!quality.data) return <Skeleton h={120} />;
  const { findings, viewable_in_ohif, ohif_reasons } = quality.data;
  return (
    <Stack gap="sm" className="long-words">
      {!viewable_in_ohif && (
        <Alert color="yellow" icon={<IconAlertTriangle aria-hidden />}>
          <Stack gap="xs" align="flex-start" className="long-words">
            <Text fw={600} c="var(--mantine-color-text)">
              {t('quality.hidden')}
            </Text>
            {ohif_reasons.map(({ code, message }) => (
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
        <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
          {findings.slice(0, SHOWN).map((finding, index) => {
            const Icon = ICONS[finding.severity];
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: findings have no identity and no state.
              <Group component="li" key={index} gap="sm" wrap="nowrap" align="flex-start">
                <Badge
                  color={COLORS[finding.severity]}
                  variant="light"
                  c="var(--mantine-color-text)"
                  leftSection={<Icon size={12} aria-hidden />}
                  style={{ flexShrink: 0 }}
                >
                  {t(`quality.${finding.severity}`)}
                </Badge>
                <div className="long-words">
                  <Said of={[finding.message]} />
                  <Said of={[finding.remedy]} size="xs" c="dimmed" />
                </div>
              </Group>
            );
          })}
        </Stack>
      )}
    </Stack>
  );
}
