import '../page-styles';
import { Alert, Button, Group, Progress, SimpleGrid, Stack, Text, Title } from '@mantine/core';
import { IconCloudUpload, IconFolder } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { useDropzone } from 'react-dropzone';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useStudy } from '../api/queries';
import { personName, useFormat } from '../common/format';
import { PageTitle } from '../common/PageTitle';
import { Said } from '../common/Said';
import { WideTable } from '../common/WideTable';
import { useIsAdmin } from '../session/session';
import type { Transfer, TransferState } from './transfers';
import { transfers, useProgress } from './uploads';

const SHOWN = 100;
/** What needs a person comes first, then what moves. */
const ORDER: TransferState[] = ['failed', 'rejected', 'sending', 'waiting', 'cancelled', 'stored', 'already_stored'];

/** The path of a file as dropped or chosen: within its folder, where it came with one. */
function pathOf(file: File): string {
  const path = 'path' in file && typeof file.path === 'string' ? file.path : file.webkitRelativePath || file.name;
  return path.replace(/^\.?\//, '');
}

const add = (files: readonly File[]) => transfers.add(files.map((file) => ({ path: pathOf(file), file })));

export default function Upload() {
  const { t } = useTranslation();
  const isAdmin = useIsAdmin();
  return (
    <>
      <PageTitle title={t('pages.upload')} />
      <Stack>
        {isAdmin ? <DropArea /> : <Alert color="yellow">{t('upload.adminOnly')}</Alert>}
        <Transferring />
      </Stack>
    </>
  );
}

function DropArea() {
  const { t } = useTranslation();
  const folder = useRef<HTMLInputElement>(null);
  const { getRootProps, getInputProps, open, isDragActive } = useDropzone({
    onDrop: (files) => add(files),
    noClick: true,
    noKeyboard: true,
  });
  return (
    <div
      {...getRootProps({ role: undefined, tabIndex: undefined })}
      className="panel"
      style={{
        borderStyle: 'dashed',
        borderWidth: 2,
        borderColor: isDragActive ? 'var(--mantine-color-anchor)' : undefined,
      }}
    >
      <input {...getInputProps({ 'aria-label': t('upload.files'), tabIndex: -1, 'aria-hidden': true })} />
      <input
        ref={folder}
        type="file"
        hidden
        multiple
        data-folder
        // @ts-expect-error not in React's types, in every browser
        webkitdirectory=""
        onChange={(event) => {
          add([...(event.currentTarget.files ?? [])]);
          event.currentTarget.value = '';
        }}
      />
      <Stack align="center" py="lg" ta="center">
        <IconCloudUpload size={48} stroke={1.5} aria-hidden />
        <Text fw={600}>{t(isDragActive ? 'upload.letGo' : 'upload.drop')}</Text>
        <Group justify="center">
          <Button onClick={open}>{t('upload.files')}</Button>
          <Button
            variant="default"
            leftSection={<IconFolder size={16} aria-hidden />}
            onClick={() => folder.current?.click()}
          >
            {t('upload.folder')}
          </Button>
        </Group>
        <Text size="sm" c="dimmed">
          {t('upload.what')}
        </Text>
      </Stack>
    </div>
  );
}

function Transferring() {
  const { t } = useTranslation();
  const format = useFormat();
  const progress = useProgress();
  const [shown, setShown] = useState(SHOWN);
  const { counts, transfers: all } = progress;
  if (all.length === 0) return null;
  const percent = progress.totalBytes ? (100 * progress.sentBytes) / progress.totalBytes : 0;
  const ordered = ORDER.flatMap((state) => all.filter((transfer) => transfer.state === state));

  return (
    <>
      <section className="panel" aria-labelledby="progress-title">
        <Group justify="space-between" mb="sm">
          <Title order={2} size="h4" id="progress-title">
            {t(progress.active ? 'upload.running' : 'upload.ended')}
          </Title>
          <Group gap="xs">
            {progress.active && (
              <Button size="xs" variant="default" onClick={() => transfers.cancel()}>
                {t('cancel')}
              </Button>
            )}
            {!progress.active && counts.failed + counts.cancelled > 0 && (
              <Button size="xs" onClick={() => transfers.retryFailed()}>
                {t('upload.retryFailed', { count: counts.failed + counts.cancelled })}
              </Button>
            )}
            {!progress.active && (
              <Button size="xs" variant="default" onClick={() => transfers.clear()}>
                {t('upload.clear')}
              </Button>
            )}
          </Group>
        </Group>
        <Progress value={percent} size="lg" aria-label={t('upload.progress')} />
        <Group justify="space-between" mt={6} mih={22}>
          <Text size="sm">
            {format.bytes(progress.sentBytes)} / {format.bytes(progress.totalBytes)}
          </Text>
          {progress.active && progress.bytesPerSecond > 0 && (
            <Text size="sm" c="dimmed">
              {t('upload.speed', {
                speed: format.bytes(progress.bytesPerSecond),
                left: format.duration(progress.secondsLeft ?? 0),
              })}
            </Text>
          )}
        </Group>
        <SimpleGrid component="dl" cols={{ base: 2, sm: 3, md: 6 }} mb={0} mt="sm">
          {(['stored', 'already_stored', 'sending', 'waiting', 'rejected', 'failed'] as const).map((state) => (
            <div key={state} data-count={state}>
              <Text component="dt" size="sm" c="dimmed">
                {t(`upload.states.${state}`)}
              </Text>
              <Text component="dd" m={0} fw={700}>
                {format.number(counts[state])}
              </Text>
            </div>
          ))}
        </SimpleGrid>
      </section>
      {progress.studies.length > 0 && (
        <section className="panel" aria-labelledby="studies-title">
          <Title order={2} size="h4" id="studies-title" mb="sm">
            {t('upload.studies')}
          </Title>
          <ul style={{ margin: 0, paddingInlineStart: 20 }}>
            {progress.studies.slice(0, SHOWN).map((uid) => (
              <li key={uid}>
                <StudyLink uid={uid} />
              </li>
            ))}
          </ul>
        </section>
      )}
      <section className="panel" aria-labelledby="files-title">
        <Title order={2} size="h4" id="files-title" mb="sm">
          {t('upload.list')}
        </Title>
        <WideTable of={t('upload.list')}>
          <thead>
            <tr>
              <th>{t('upload.file')}</th>
              <th className="number">{t('studies.size_bytes')}</th>
              <th style={{ width: 120 }}>{t('upload.progress')}</th>
              <th>{t('upload.result')}</th>
            </tr>
          </thead>
          <tbody>
            {ordered.slice(0, shown).map((transfer) => (
              <Row key={transfer.id} transfer={transfer} />
            ))}
          </tbody>
        </WideTable>
        {ordered.length > shown && (
          <Button mt="sm" variant="default" onClick={() => setShown(shown + 5 * SHOWN)}>
            {t('upload.more', { count: ordered.length - shown })}
          </Button>
        )}
      </section>
    </>
  );
}

function Row({ transfer }: { transfer: Transfer }) {
  const { t } = useTranslation();
  const format = useFormat();
  const refused = transfer.inside.filter(({ result }) => result === 'rejected');
  const percent = transfer.size ? (100 * transfer.sentBytes) / transfer.size : 0;
  return (
    <tr data-transfer={transfer.state}>
      <td style={{ overflowWrap: 'anywhere', minWidth: 140 }}>{transfer.path}</td>
      <td className="number">{format.bytes(transfer.size)}</td>
      <td>
        <Progress value={percent} aria-label={`${t('upload.progress')}: ${transfer.path}`} />
      </td>
      <td>
        <Text size="sm" fw={transfer.state === 'rejected' || transfer.state === 'failed' ? 700 : undefined}>
          {t(`upload.states.${transfer.state}`)}
          {transfer.inside.length > 0 &&
            ` (${t('upload.inside', { stored: transfer.inside.length - refused.length, count: transfer.inside.length })})`}
        </Text>
        {transfer.reason && <Said of={[transfer.reason]} size="xs" />}
        {refused.slice(0, 20).map(({ name, reason }) => (
          <Text key={name} size="xs" component="div">
            {name}: <Said of={[reason]} size="xs" span />
          </Text>
        ))}
      </td>
    </tr>
  );
}

/** The catalogue knows a study a second or so after its first file. */
function StudyLink({ uid }: { uid: string }) {
  const { t } = useTranslation();
  const study = useStudy(uid, true).data;
  return (
    <Link to={`/studies/${study?.orthanc_id ?? uid}`} style={{ color: 'var(--mantine-color-anchor)' }}>
      {study
        ? `${personName(study.patient_name) || study.patient_id} – ${study.description || study.modalities.join(', ')}`
        : `${t('pages.study')} ${uid}`}
    </Link>
  );
}
