import { SegmentedControl } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { StateName } from './StateBadge';

interface Props<State extends StateName> {
  states: readonly State[];
  value: State | undefined;
  onChange: (state: string) => void;
}

/** All states of a list, or one of them. */
export function StateFilter<State extends StateName>({ states, value, onChange }: Props<State>) {
  const { t } = useTranslation();
  return (
    <div className="scroll-x" style={{ maxWidth: '100%' }}>
      <SegmentedControl
        size="xs"
        aria-label={t('services.state')}
        value={value ?? ''}
        onChange={onChange}
        data={[
          { value: '', label: t('extractions.all') },
          ...states.map((name) => ({ value: name, label: t(`states.${name as StateName}`) })),
        ]}
      />
    </div>
  );
}
