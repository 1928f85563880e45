import { Badge, Checkbox, ColorSwatch, Group, Skeleton, Text, UnstyledButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { StructureSet } from '../api/models';
import { useFormat } from '../common/format';
import { Said } from '../common/Said';
import { WideTable } from '../common/WideTable';
import { cssColor } from '../viewer/contours';

interface Props {
  set: StructureSet;
  /** Rows of table.csv by ROI Number; undefined while they are computed, null where the server has no such route. */
  table: Map<number, Record<string, string>> | undefined | null;
  hidden: ReadonlySet<number>;
  onHide: (hidden: ReadonlySet<number>) => void;
  onGoTo: (number: number) => void;
}

export function StructureTable({ set, table, hidden, onHide, onGoTo }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const { structures } = set;

  function toggle(number: number) {
    const next = new Set(hidden);
    if (!next.delete(number)) next.add(number);
    onHide(next);
  }

  const computed = (number: number, cell: (row: Record<string, string>) => React.ReactNode) => {
    if (table === null) return '–';
    if (table === undefined) return <Skeleton h={14} w={60} />;
    const row = table.get(number);
    return (row && cell(row)) || '–';
  };

  return (
    <WideTable of={t('structures.title')}>
      <thead>
        <tr>
          <th style={{ width: 40 }}>
            <Checkbox
              aria-label={t('structures.all')}
              checked={hidden.size === 0}
              indeterminate={hidden.size > 0 && hidden.size < structures.length}
              onChange={() => onHide(new Set(hidden.size === 0 ? structures.map(({ number }) => number) : []))}
            />
          </th>
          <th>{t('structures.name')}</th>
          <th className="one-line">TG-263</th>
          <th>{t('structures.type')}</th>
          <th className="number">{t('structures.volume')}</th>
          <th className="number">{t('structures.mean')}</th>
        </tr>
      </thead>
      <tbody>
        {structures.map((structure) => (
          <tr key={structure.number} data-structure={structure.name}>
            <td>
              <Checkbox
                aria-label={t('structures.show', { name: structure.name })}
                checked={!hidden.has(structure.number)}
                onChange={() => toggle(structure.number)}
              />
            </td>
            <td>
              <UnstyledButton
                onClick={() => onGoTo(structure.number)}
                disabled={structure.contour_count === 0}
                title={t('structures.goTo')}
              >
                <Group gap="xs" wrap="nowrap">
                  <ColorSwatch color={cssColor(structure.color)} size={16} withShadow={false} aria-hidden />
                  <Text size="sm" fw={600}>
                    {structure.name || `#${structure.number}`}
                  </Text>
                </Group>
              </UnstyledButton>
              {structure.warnings.length > 0 && (
                <details>
                  <summary>
                    <Badge color="yellow" variant="light" c="var(--mantine-color-text)" miw="max-content">
                      {t('structures.warnings', { count: structure.warnings.length })}
                    </Badge>
                  </summary>
                  {structure.warnings.map(({ code, message }) => (
                    <Said key={code + message} of={[message]} size="xs" />
                  ))}
                </details>
              )}
            </td>
            <td>
              {computed(structure.number, (row) =>
                row.tg263 ? (
                  <Text size="sm" span title={confidence(row)}>
                    {row.tg263}
                  </Text>
                ) : null,
              )}
            </td>
            <td>{structure.interpreted_type ?? '–'}</td>
            <td className="number">
              {structure.volume_cm3 === null ? '–' : `${format.decimal(structure.volume_cm3, 2)} cm³`}
            </td>
            <td className="number">
              {computed(structure.number, (row) =>
                row.mean_intensity
                  ? `${format.decimal(Number(row.mean_intensity), 1)} ${row.intensity_unit ?? ''}`
                  : null,
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </WideTable>
  );

  function confidence(row: Record<string, string>): string {
    return t('structures.confidence', { percent: Math.round(100 * Number(row.tg263_confidence ?? 0)) });
  }
}
