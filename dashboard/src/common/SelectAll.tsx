import { Checkbox } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { Selection } from './selection';

/** The head of the column in which rows are chosen. */
export function SelectAll<Key>({ selection }: { selection: Selection<Key> }) {
  const { t } = useTranslation();
  return (
    <th style={{ width: 40 }}>
      <Checkbox
        aria-label={t('extractions.select')}
        checked={selection.all}
        indeterminate={selection.chosen.size > 0 && !selection.all}
        onChange={selection.toggleAll}
      />
    </th>
  );
}
