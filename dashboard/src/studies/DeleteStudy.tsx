import { Button, Group, Stack, Text } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { send } from '../api/client';
import type { Page, Study } from '../api/models';
import { Dialog } from '../common/Dialog';
import { FailureNotice } from '../common/FailureNotice';
import { personName, useFormat } from '../common/format';
import { tell } from '../common/notices';

interface Props {
  study: Study | null;
  onClose: () => void;
  onDeleted?: () => void;
}

export function DeleteStudy({ study, onClose, onDeleted }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  const queries = useQueryClient();
  const deletion = useMutation({
    mutationFn: ({ orthanc_id }: Study) => send('DELETE', `/orthanc/studies/${orthanc_id}`, { timeout: 120_000 }),
    onSuccess: (_answer, deleted) => {
      // The catalogue follows within a second or two; the list need not wait for it.
      queries.setQueriesData<Page<Study>>({ queryKey: ['studies'] }, (page) =>
        page?.items.some(({ orthanc_id }) => orthanc_id === deleted.orthanc_id)
          ? {
              ...page,
              total: page.total - 1,
              items: page.items.filter(({ orthanc_id }) => orthanc_id !== deleted.orthanc_id),
            }
          : page,
      );
      tell(t('studies.deleted'));
      onClose();
      onDeleted?.();
    },
  });
  const close = () => {
    deletion.reset();
    onClose();
  };
  return (
    <Dialog opened={study !== null} onClose={close} title={t('studies.deleteTitle')}>
      {study && (
        <Stack>
          <Text>
            {t('studies.deleteText', {
              who: personName(study.patient_name) || study.patient_id,
              what: study.description || study.modalities.join(', '),
              instances: format.number(study.instance_count),
            })}
          </Text>
          {deletion.isError && <FailureNotice error={deletion.error} />}
          <Group justify="flex-end">
            <Button variant="default" onClick={close} data-autofocus>
              {t('cancel')}
            </Button>
            <Button color="red.9" loading={deletion.isPending} onClick={() => deletion.mutate(study)}>
              {t('studies.deleteForGood')}
            </Button>
          </Group>
        </Stack>
      )}
    </Dialog>
  );
}
