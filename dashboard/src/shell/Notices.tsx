import { Affix, Button, CloseButton, Group, Loader, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconCheck } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useFormat } from '../common/format';
import { dismiss, useNotices } from '../common/notices';
import { Said } from '../common/Said';

export function Notices() {
  const { t } = useTranslation();
  const format = useFormat();
  const notices = useNotices();
  return (
    <Affix position={{ bottom: 16, right: 16 }} w="min(420px, calc(100vw - 32px))">
      <Stack gap="xs" role="status">
        {notices.map((notice) => (
          <div key={notice.id} className="panel" style={{ boxShadow: 'var(--mantine-shadow-md)' }}>
            <Group wrap="nowrap" gap="sm">
              {notice.kind === 'downloading' ? (
                <Loader size={20} aria-hidden />
              ) : notice.kind === 'failed' ? (
                <IconAlertCircle aria-hidden color="var(--mantine-color-error)" />
              ) : (
                <IconCheck aria-hidden />
              )}
              <div style={{ flex: 1, minWidth: 0 }}>
                <Text size="sm" fw={600} style={{ overflowWrap: 'anywhere' }}>
                  {notice.text}
                </Text>
                {notice.failure && (
                  <>
                    <Text size="sm">{t(`failure.${notice.failure.kind}`)}</Text>
                    <Said of={[notice.failure.detail, notice.failure.remedy]} />
                  </>
                )}
                {notice.kind === 'downloading' && (
                  <Text size="sm" aria-live="off">
                    {notice.loadedBytes ? format.bytes(notice.loadedBytes) : t('notices.preparing')}
                  </Text>
                )}
              </div>
              {notice.cancel ? (
                <Button size="xs" variant="default" onClick={notice.cancel}>
                  {t('cancel')}
                </Button>
              ) : (
                <CloseButton aria-label={t('close')} onClick={() => dismiss(notice.id)} />
              )}
            </Group>
          </div>
        ))}
      </Stack>
    </Affix>
  );
}
