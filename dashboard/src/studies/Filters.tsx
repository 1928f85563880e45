import { Button, CloseButton, Group, NativeSelect, SimpleGrid, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { IconFilter, IconSearch } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useStatistics } from '../api/queries';
import { FILTERS, type Filter, type Search } from './search';

interface Props {
  text: Search['text'];
  onChange: (text: Search['text']) => void;
}

/** What is typed is asked when the typing pauses; going back in the browser changes what stands here. */
export function Filters({ text, onChange }: Props) {
  const { t } = useTranslation();
  const [draft, setDraft] = useState(text);
  const used = FILTERS.filter((name) => text[name]).length;
  const [opened, setOpened] = useState(used > 0);
  const modalities = useStatistics(90).data?.by_modality.map(({ modality }) => modality) ?? [];
  const later = useDebouncedCallback(onChange, 300);
  // By what it says: the list renders anew with each answer, and must not take back what is being typed.
  const said = JSON.stringify(text);
  useEffect(() => setDraft(JSON.parse(said)), [said]);

  function put(name: Filter | 'q', value: string, now = false) {
    const changed = { ...draft, [name]: value };
    setDraft(changed);
    if (now) onChange(changed);
    else later(changed);
  }

  return (
    <search style={{ marginBottom: 'var(--mantine-spacing-sm)' }}>
      <Group align="flex-end" gap="sm">
        <TextInput
          style={{ flex: '1 1 260px' }}
          type="search"
          label={t('studies.search')}
          placeholder={t('studies.searchFor')}
          leftSection={<IconSearch size={16} aria-hidden />}
          value={draft.q ?? ''}
          onChange={(event) => put('q', event.currentTarget.value)}
          rightSection={
            draft.q && <CloseButton size="sm" aria-label={t('studies.clear')} onClick={() => put('q', '', true)} />
          }
        />
        <Button
          variant="default"
          leftSection={<IconFilter size={16} aria-hidden />}
          aria-expanded={opened}
          aria-controls="filters"
          onClick={() => setOpened(!opened)}
        >
          {t('studies.filters')}
          {used > 0 && ` (${used})`}
        </Button>
        {(used > 0 || text.q) && (
          <Button variant="subtle" onClick={() => onChange({})}>
            {t('studies.clear')}
          </Button>
        )}
      </Group>
      {opened && (
        <SimpleGrid id="filters" cols={{ base: 1, xs: 2, md: 4 }} mt="sm">
          {FILTERS.map((name) =>
            name === 'modality' ? (
              <NativeSelect
                key={name}
                label={t('studies.modality')}
                value={draft.modality ?? ''}
                onChange={(event) => put('modality', event.currentTarget.value, true)}
                data={[{ value: '', label: t('studies.any') }, ...new Set([...modalities, ...listed(draft.modality)])]}
              />
            ) : (
              <TextInput
                key={name}
                type={name.startsWith('date') ? 'date' : 'text'}
                label={t(`studies.${name}`)}
                value={draft[name] ?? ''}
                onChange={(event) => put(name, event.currentTarget.value)}
              />
            ),
          )}
        </SimpleGrid>
      )}
    </search>
  );
}

const listed = (value: string | undefined) => (value ? [value] : []);
