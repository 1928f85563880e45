import { Stack, Text, ThemeIcon } from '@mantine/core';
import { IconMoodEmpty } from '@tabler/icons-react';
import type { ReactNode } from 'react';

/** An empty state: what would be here, and how it gets here. */
export function Nothing({ title, children }: { title: string; children?: ReactNode }) {
  return (
    <Stack align="center" gap="xs" py="xl" ta="center">
      <ThemeIcon variant="default" size={48} radius="xl" aria-hidden>
        <IconMoodEmpty />
      </ThemeIcon>
      <Text fw={600}>{title}</Text>
      {children && (
        <Text size="sm" c="dimmed" component="div" maw={460}>
          {children}
        </Text>
      )}
    </Stack>
  );
}
