import { Group, Text } from '@mantine/core';
import {
  IconAlertTriangleFilled,
  IconCircleCheckFilled,
  IconCircleDashed,
  IconCircleMinus,
  IconCircleXFilled,
  IconClock,
  IconLoader,
  IconPlayerPauseFilled,
} from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';

// Never by colour alone: each state has its icon and its word.
const LOOKS = {
  up: ['green', IconCircleCheckFilled],
  degraded: ['yellow', IconAlertTriangleFilled],
  down: ['red', IconCircleXFilled],
  not_configured: ['gray', IconCircleDashed],
  pending: ['gray', IconClock],
  running: ['cyan', IconLoader],
  done: ['green', IconCircleCheckFilled],
  failed: ['red', IconCircleXFilled],
  waiting: ['gray', IconClock],
  sending: ['cyan', IconLoader],
  verifying: ['cyan', IconLoader],
  delivered: ['green', IconCircleCheckFilled],
  cancelled: ['gray', IconCircleMinus],
  paused: ['yellow', IconPlayerPauseFilled],
  unknown: ['gray', IconCircleDashed],
} as const;

export type StateName = keyof typeof LOOKS;

export const isStateName = (value: string): value is StateName => value in LOOKS;

export function StateBadge({ state }: { state: StateName }) {
  const { t } = useTranslation();
  const [color, Icon] = LOOKS[state];
  return (
    <Group gap={6} wrap="nowrap" data-state={state}>
      <Icon
        size={18}
        aria-hidden
        color={`light-dark(var(--mantine-color-${color}-8), var(--mantine-color-${color}-5))`}
      />
      <Text size="sm" fw={600} style={{ whiteSpace: 'nowrap' }}>
        {t(`states.${state}`)}
      </Text>
    </Group>
  );
}
