import '../page-styles';
import { Anchor, Group, SimpleGrid, Skeleton, Stack, Tabs, Text, Title } from '@mantine/core';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { Failure } from '../api/client';
import type { Series, StudyDetail } from '../api/models';
import { useStudy } from '../api/queries';
import { FailureNotice } from '../common/FailureNotice';
import { personName, useFormat } from '../common/format';
import { Nothing } from '../common/Nothing';
import { PageTitle } from '../common/PageTitle';
import { SendStudy } from '../deliveries/SendStudy';
import { DeleteStudy } from '../studies/DeleteStudy';
import { StudyActions } from '../studies/StudyActions';
import { SliceViewer } from '../viewer/SliceViewer';
import { hasPictures } from './modalities';
import { useInstances, useStack } from './queries';
import { SeriesList } from './SeriesList';
import { StructureSetPanel } from './StructureSetPanel';

export default function StudyPage() {
  const { t } = useTranslation();
  const { identifier = '' } = useParams();
  const study = useStudy(identifier);
  if (!study.data) {
    return (
      <>
        <PageTitle title={t('pages.study')} />
        {!study.isError ? (
          <Skeleton h={600} />
        ) : (
          <Stack align="flex-start">
            <FailureNotice error={study.error} onRetry={() => void study.refetch()} />
            {study.error instanceof Failure && study.error.kind === 'missing' && (
              <Anchor component={Link} to="/studies">
                {t('study.back')}
              </Anchor>
            )}
          </Stack>
        )}
      </>
    );
  }
  return <Study key={study.data.orthanc_id} study={study.data} />;
}

function Study({ study }: { study: StudyDetail }) {
  const { t } = useTranslation();
  const format = useFormat();
  const navigate = useNavigate();
  const [deleting, setDeleting] = useState(false);
  const [sending, setSending] = useState(false);
  const [chosen, setChosen] = useState<Series>();
  const [shown, setShown] = useState<Series>();
  const onImages = useCallback((series: Series) => setShown(series), []);
  const structureSets = study.series.filter(({ modality }) => modality === 'RTSTRUCT');
  const pictures = study.series.filter(({ modality }) => hasPictures(modality));
  const current = chosen ?? shown ?? pictures[0];

  const facts: [string, string][] = [
    [t('studies.patient_id'), study.patient_id],
    [t('study.born'), format.date(study.patient_birth_date)],
    [t('study.sex'), study.patient_sex ?? ''],
    [t('studies.study_date'), format.date(study.study_date)],
    [t('studies.accession_number'), study.accession_number],
    [t('studies.description'), study.description],
    [t('study.institution'), study.institution],
    [t('study.referring'), personName(study.referring_physician)],
    [t('studies.instance_count'), `${format.number(study.instance_count)} · ${format.bytes(study.size_bytes)}`],
    [t('studies.arrived_at'), format.moment(study.arrived_at)],
  ];

  return (
    <>
      <PageTitle title={personName(study.patient_name) || study.patient_id || t('pages.study')}>
        <StudyActions study={study} onDelete={() => setDeleting(true)} onSend={() => setSending(true)} />
      </PageTitle>
      <Stack>
        <section className="panel" aria-label={t('study.facts')}>
          <SimpleGrid component="dl" m={0} cols={{ base: 2, sm: 3, lg: 5 }} verticalSpacing="xs">
            {facts
              .filter(([, value]) => value)
              .map(([name, value]) => (
                <div key={name}>
                  <Text component="dt" size="xs" c="dimmed">
                    {name}
                  </Text>
                  <Text component="dd" m={0} size="sm" style={{ overflowWrap: 'anywhere' }}>
                    {value}
                  </Text>
                </div>
              ))}
          </SimpleGrid>
        </section>
        {structureSets.length > 0 ? (
          <StructureSets
            sets={structureSets}
            all={study.series}
            chosen={chosen}
            onSet={() => {
              setChosen(undefined);
              setShown(undefined);
            }}
            onImages={onImages}
          />
        ) : (
          <section className="panel" aria-labelledby="viewer-title">
            <Title order={2} size="h4" id="viewer-title" mb="sm">
              {t('viewer.slices')}
            </Title>
            {current ? <ImagesOnly series={current} /> : <Nothing title={t('viewer.noImages')} />}
          </section>
        )}
        <SeriesList series={study.series} shown={current?.orthanc_id} onShow={setChosen} />
      </Stack>
      <SendStudy study={sending ? study : null} onClose={() => setSending(false)} />
      <DeleteStudy
        study={deleting ? study : null}
        onClose={() => setDeleting(false)}
        onDeleted={() => void navigate('/studies', { replace: true })}
      />
    </>
  );
}

function ImagesOnly({ series }: { series: Series }) {
  const stack = useStack(series.orthanc_id);
  if (stack.isError) return <FailureNotice error={stack.error} onRetry={() => void stack.refetch()} />;
  if (!stack.data) return <Skeleton h={480} />;
  return <SliceViewer key={series.orthanc_id} stack={stack.data} modality={series.modality} />;
}

interface StructureSetsProps {
  sets: Series[];
  all: Series[];
  chosen: Series | undefined;
  onSet: () => void;
  onImages: (series: Series) => void;
}

function StructureSets({ sets, all, chosen, onSet, onImages }: StructureSetsProps) {
  const { t } = useTranslation();
  const [active, setActive] = useState(sets[0]?.orthanc_id ?? '');
  const current = sets.find(({ orthanc_id }) => orthanc_id === active) ?? sets[0];
  return (
    <section className="panel" aria-labelledby="structures-title">
      <Title order={2} size="h4" id="structures-title" mb="sm">
        {t('structures.title')}
      </Title>
      <Tabs
        value={current?.orthanc_id ?? null}
        onChange={(value) => {
          setActive(value ?? '');
          onSet();
        }}
        keepMounted={false}
      >
        {sets.length > 1 && (
          <Tabs.List mb="sm">
            {sets.map((set) => (
              <Tabs.Tab key={set.orthanc_id} value={set.orthanc_id}>
                {set.description || t('structures.title')}
              </Tabs.Tab>
            ))}
          </Tabs.List>
        )}
        {sets.length > 1 &&
          sets.map((set) => (
            // Each tab names the panel that it controls; the open one has the content.
            <Tabs.Panel key={set.orthanc_id} value={set.orthanc_id}>
              <InstancesOf series={set} all={all} chosen={chosen} onImages={onImages} />
            </Tabs.Panel>
          ))}
        {sets.length === 1 && current && <InstancesOf series={current} all={all} chosen={chosen} onImages={onImages} />}
      </Tabs>
    </section>
  );
}

/** A series of structure sets nearly always has one; further ones follow below it. */
function InstancesOf(props: Omit<StructureSetsProps, 'sets' | 'onSet'> & { series: Series }) {
  const instances = useInstances(props.series.orthanc_id);
  if (instances.isError) return <FailureNotice error={instances.error} onRetry={() => void instances.refetch()} />;
  if (!instances.data) return <Skeleton h={600} />;
  return (
    <Stack gap="xl">
      {instances.data.map(({ ID }) => (
        <Group key={ID} display="block" data-structure-set={ID}>
          <StructureSetPanel instance={ID} series={props.all} chosen={props.chosen} onImages={props.onImages} />
        </Group>
      ))}
    </Stack>
  );
}
