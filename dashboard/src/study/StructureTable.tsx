import { Badge, Checkbox, ColorSwatch, Group, Skeleton, Table, Text, UnstyledButton } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import type { StructureSet } from '../api/models';
import { useFormat } from '../common/format';
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
      <Table verticalSpacing={4} horizontalSpacing={6} highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            <Table.Th w={40}>
              <Checkbox
                aria-label={t('structures.all')}
                checked={hidden.size === 0}
                indeterminate={hidden.size > 0 && hidden.size < structures.length}
                onChange={() => onHide(new Set(hidden.size === 0 ? structures.map(({ number }) => number) : []))}
              />
            </Table.Th>
            <Table.Th>{t('structures.name')}</Table.Th>
            <Table.Th style={{ whiteSpace: 'nowrap' }}>TG-263</Table.Th>
            <Table.Th>{t('structures.type')}</Table.Th>
            <Table.Th ta="right">{t('structures.volume')}</Table.Th>
            <Table.Th ta="right">{t('structures.mean')}</Table.Th>
            <Table.Th>{t('structures.warnings')}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {structures.map((structure) => (
            <Table.Tr key={structure.number} data-structure={structure.name}>
              <Table.Td>
                <Checkbox
                  aria-label={t('structures.show', { name: structure.name })}
                  checked={!hidden.has(structure.number)}
                  onChange={() => toggle(structure.number)}
                />
              </Table.Td>
              <Table.Td>
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
              </Table.Td>
              <Table.Td>
                {computed(structure.number, (row) =>
                  row.tg263 ? (
                    <Text size="sm" span title={confidence(row)}>
                      {row.tg263}
                    </Text>
                  ) : null,
                )}
              </Table.Td>
              <Table.Td>{structure.interpreted_type ?? '–'}</Table.Td>
              <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
                {structure.volume_cm3 === null ? '–' : `${format.decimal(structure.volume_cm3, 2)} cm³`}
              </Table.Td>
              <Table.Td ta="right" style={{ whiteSpace: 'nowrap' }}>
                {computed(structure.number, (row) =>
                  row.mean_intensity
                    ? `${format.decimal(Number(row.mean_intensity), 1)} ${row.intensity_unit ?? ''}`
                    : null,
                )}
              </Table.Td>
              <Table.Td>
                {structure.warnings.length > 0 && (
                  <details>
                    <summary>
                      <Badge color="yellow" variant="light" c="var(--mantine-color-text)">
                        {format.number(structure.warnings.length)}
                      </Badge>
                    </summary>
                    {structure.warnings.map(({ code, message }) => (
                      <Text key={code + message} size="xs" lang="en">
                        {message}
                      </Text>
                    ))}
                  </details>
                )}
              </Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </WideTable>
  );

  function confidence(row: Record<string, string>): string {
    return t('structures.confidence', { percent: Math.round(100 * Number(row.tg263_confidence ?? 0)) });
  }
}
