import '../page-styles';
import { Anchor, Badge, Button, Group, Skeleton, Text, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconArrowsSort, IconArrowUp } from '@tabler/icons-react';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import type { Study } from '../api/models';
import { useStudies } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { Freshness } from '../common/Freshness';
import { personName, useFormat } from '../common/format';
import { ListPages } from '../common/ListPages';
import { Nothing } from '../common/Nothing';
import { PageTitle } from '../common/PageTitle';
import { WideTable } from '../common/WideTable';
import { SendStudy } from '../deliveries/SendStudy';
import { DeleteStudy } from './DeleteStudy';
import { Filters } from './Filters';
import { StudyActions } from './StudyActions';
import { askedOf, PAGE_SIZE, readSearch, type Search, type SortKey, writeSearch } from './search';

const COLUMNS: SortKey[] = [
  'patient_name',
  'patient_id',
  'study_date',
  'description',
  'accession_number',
  'instance_count',
  'size_bytes',
  'arrived_at',
];
const NUMERIC = new Set<SortKey>(['instance_count', 'size_bytes']);

export default function Studies() {
  const { t } = useTranslation();
  const [parameters, setParameters] = useSearchParams();
  const search = readSearch(parameters);
  const studies = useStudies(askedOf(search));
  const [deleting, setDeleting] = useState<Study | null>(null);
  const [sending, setSending] = useState<Study | null>(null);
  const total = studies.data?.total ?? 0;

  const change = (changed: Partial<Search>, replace = false) =>
    setParameters(writeSearch({ ...search, page: 1, ...changed }), { replace });

  return (
    <>
      <PageTitle title={t('pages.studies')}>
        <Freshness queries={[studies]} />
      </PageTitle>
      <section className="panel">
        <Filters text={search.text} onChange={(text) => change({ text }, true)} />
        {studies.isError && <FailureNotice error={studies.error} onRetry={() => void studies.refetch()} />}
        {!studies.data ? (
          !studies.isError && <Skeleton h={480} mt="md" />
        ) : total === 0 ? (
          <NothingFound searched={Object.keys(search.text).length > 0} />
        ) : (
          <>
            <WideTable of={t('pages.studies')} minWidth={980}>
              <thead>
                <tr>
                  {COLUMNS.map((key) => (
                    <SortHeader key={key} column={key} search={search} onSort={change} />
                  ))}
                  <th className="pinned">
                    <Text size="sm" fw={700}>
                      {t('studies.actions')}
                    </Text>
                  </th>
                </tr>
              </thead>
              <tbody>
                {studies.data.items.map((study) => (
                  <Row
                    key={study.orthanc_id}
                    study={study}
                    onDelete={() => setDeleting(study)}
                    onSend={() => setSending(study)}
                  />
                ))}
              </tbody>
            </WideTable>
            <ListPages page={search.page} size={PAGE_SIZE} total={total} onPage={(page) => change({ page })} />
          </>
        )}
      </section>
      <DeleteStudy study={deleting} onClose={() => setDeleting(null)} />
      <SendStudy study={sending} onClose={() => setSending(null)} />
    </>
  );
}

function SortHeader(props: { column: SortKey; search: Search; onSort: (change: Partial<Search>) => void }) {
  const { t } = useTranslation();
  const { column, search, onSort } = props;
  const sorted = search.sort === column;
  const Icon = !sorted ? IconArrowsSort : search.descending ? IconArrowDown : IconArrowUp;
  return (
    <th
      aria-sort={sorted ? (search.descending ? 'descending' : 'ascending') : 'none'}
      className={NUMERIC.has(column) ? 'number' : undefined}
    >
      <UnstyledButton
        onClick={() => onSort({ sort: column, descending: sorted ? !search.descending : column.endsWith('_at') })}
      >
        <Group gap={4} wrap="nowrap">
          <Text size="sm" fw={700} style={{ whiteSpace: 'nowrap' }}>
            {t(`studies.${column}`)}
          </Text>
          <Icon size={14} aria-hidden opacity={sorted ? 1 : 0.5} />
        </Group>
      </UnstyledButton>
    </th>
  );
}

function Row({ study, onDelete, onSend }: { study: Study; onDelete: () => void; onSend: () => void }) {
  const { t } = useTranslation();
  const format = useFormat();
  return (
    <tr data-study={study.study_instance_uid}>
      <td>
        <Anchor component={Link} to={`/studies/${study.orthanc_id}`} fw={600} size="sm">
          {personName(study.patient_name) || t('studies.noName')}
        </Anchor>
      </td>
      <td>{study.patient_id}</td>
      <td className="one-line">{format.date(study.study_date)}</td>
      <td>
        <Text size="sm">{study.description}</Text>
        <Group gap={4}>
          {study.modalities.map((modality) => (
            <Badge key={modality} variant="default" size="sm" radius="sm">
              {modality}
            </Badge>
          ))}
        </Group>
      </td>
      <td>{study.accession_number}</td>
      <td className="number">{format.number(study.instance_count)}</td>
      <td className="number">{format.bytes(study.size_bytes)}</td>
      <td className="one-line">
        <time dateTime={study.arrived_at} title={format.moment(study.arrived_at)}>
          {format.ago(study.arrived_at)}
        </time>
      </td>
      <td className="pinned">
        <StudyActions study={study} onDelete={onDelete} onSend={onSend} compact />
      </td>
    </tr>
  );
}

function NothingFound({ searched }: { searched: boolean }) {
  const { t } = useTranslation();
  if (searched) return <Nothing title={t('studies.noMatch')}>{t('studies.noMatchHint')}</Nothing>;
  return (
    <Nothing title={t('studies.none')}>
      {t('activity.how')}
      <Button component={Link} to="/upload" mt="sm" display="block" mx="auto" w="fit-content">
        {t('pages.upload')}
      </Button>
    </Nothing>
  );
}
