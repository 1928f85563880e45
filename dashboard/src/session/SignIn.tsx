import { Alert, Button, Center, Group, Paper, PasswordInput, Stack, Text, TextInput, Title } from '@mantine/core';
import { IconAlertCircle } from '@tabler/icons-react';
import { type FormEvent, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Failure, get } from '../api/client';
import type { Status } from '../api/models';
import { LanguageSwitch } from '../shell/LanguageSwitch';
import { ThemeSwitch } from '../shell/ThemeSwitch';
import { basic, signedOutReason, signIn } from './session';

export function SignIn() {
  const { t } = useTranslation();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure | null>(null);

  async function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const form = new FormData(event.currentTarget);
    const user = String(form.get('user') ?? '').trim();
    const authorization = basic(user, String(form.get('password') ?? ''));
    setBusy(true);
    setFailure(null);
    try {
      await get<Status>('/api/status', { headers: { Authorization: authorization } });
      signIn(user, authorization);
    } catch (error) {
      setFailure(error as Failure);
      setBusy(false);
    }
  }

  const expired = signedOutReason() === 'expired' && !failure;
  return (
    <Center component="main" mih="100vh" p="md">
      <Stack w="100%" maw={380}>
        <Group justify="space-between">
          <Title order={1} size="h2">
            {t('signIn.title')}
          </Title>
          <Group gap="xs">
            <LanguageSwitch />
            <ThemeSwitch />
          </Group>
        </Group>
        <Paper className="panel" component="section">
          <form onSubmit={submit}>
            <Stack>
              <TextInput name="user" label={t('signIn.user')} autoComplete="username" required autoFocus />
              <PasswordInput
                name="password"
                label={t('signIn.password')}
                autoComplete="current-password"
                required
                visibilityToggleButtonProps={{ 'aria-label': t('signIn.show') }}
              />
              {expired && (
                <Alert color="yellow" role="alert" icon={<IconAlertCircle aria-hidden />}>
                  <Text c="var(--mantine-color-text)">{t('signIn.expired')}</Text>
                </Alert>
              )}
              {failure && (
                <Alert color="red" role="alert" icon={<IconAlertCircle aria-hidden />}>
                  <Text c="var(--mantine-color-text)">
                    {failure.kind === 'unauthorized'
                      ? t('signIn.wrong')
                      : failure.kind === 'forbidden'
                        ? t('signIn.forbidden')
                        : t(`failure.${failure.kind}`)}
                  </Text>
                </Alert>
              )}
              <Button type="submit" loading={busy}>
                {t('signIn.submit')}
              </Button>
            </Stack>
          </form>
        </Paper>
        <Text size="sm" c="dimmed">
          {t('signIn.where')}
        </Text>
      </Stack>
    </Center>
  );
}
