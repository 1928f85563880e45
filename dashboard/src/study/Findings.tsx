import { Badge, Group, Stack, Text } from '@mantine/core';
import { IconAlertCircle, IconAlertTriangle, IconInfoCircle } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Finding } from '../api/models';
import { Said } from '../common/Said';
import { type FindingGroup, groupsOf } from './findings';

const ICONS = { error: IconAlertCircle, warning: IconAlertTriangle, info: IconInfoCircle } as const;
const COLORS = { error: 'red', warning: 'yellow', info: 'cyan' } as const;
/** Of one kind; the others are behind a click. */
const SHOWN = 3;

export function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <Stack component="ul" gap="xs" m={0} p={0} style={{ listStyle: 'none' }}>
      {groupsOf(findings).map((group) => (
        <Entry key={group.severity + group.messages[0]} group={group} />
      ))}
    </Stack>
  );
}

function Entry({ group }: { group: FindingGroup }) {
  const { t } = useTranslation();
  const { severity, remedy, messages } = group;
  const Icon = ICONS[severity];
  const more = messages.slice(SHOWN);
  return (
    <Group component="li" gap="sm" wrap="nowrap" align="flex-start" data-finding={severity}>
      <Badge
        color={COLORS[severity]}
        variant="light"
        c="var(--mantine-color-text)"
        leftSection={<Icon size={12} aria-hidden />}
        w={128}
        style={{ flexShrink: 0 }}
      >
        {t(`quality.${severity}`)}
      </Badge>
      <div className="long-words">
        {messages.slice(0, SHOWN).map((message) => (
          <Said key={message} of={[message]} />
        ))}
        {more.length > 0 && (
          <details>
            <Text component="summary" size="sm">
              {t('quality.more', { count: more.length })}
            </Text>
            {more.map((message) => (
              <Said key={message} of={[message]} />
            ))}
          </details>
        )}
        <Said of={[remedy]} size="xs" c="dimmed" />
      </div>
    </Group>
  );
}
