import { Group, Pagination, Text } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { useFormat } from './format';

interface Props {
  page: number;
  size: number;
  total: number;
  onPage: (page: number) => void;
}

/** What part of a list is shown, and the way to the others. */
export function ListPages({ page, size, total, onPage }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const pages = Math.max(1, Math.ceil(total / size));
  return (
    <Group justify="space-between" mt="md">
      <Text size="sm" c="dimmed" role="status">
        {t('studies.shown', {
          from: format.number((page - 1) * size + 1),
          to: format.number(Math.min(page * size, total)),
          total: format.number(total),
        })}
      </Text>
      {pages > 1 && (
        <Pagination
          component="nav"
          aria-label={t('studies.pages')}
          total={pages}
          value={page}
          onChange={onPage}
          getItemProps={(number) => ({ 'aria-label': t('studies.page', { page: number }) })}
          getControlProps={(control) => ({ 'aria-label': t(`studies.${control as 'next' | 'previous'}`) })}
        />
      )}
    </Group>
  );
}
