import { ActionIcon, Button, Group, Menu } from '@mantine/core';
import { IconDots, IconDownload, IconExternalLink, IconEye, IconSend, IconTrash } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import type { Study } from '../api/models';
import { useHasDeliveries, useStatus } from '../api/queries';
import { ohifPath, useDoorAddress } from '../common/doors';
import { download } from '../common/notices';
import { useIsAdmin } from '../session/session';

interface Props {
  study: Study;
  onDelete: () => void;
  onSend: () => void;
  compact?: boolean;
}

/** What can be done with a study, in the list and on its own page. */
export function StudyActions({ study, onDelete, onSend, compact = false }: Props) {
  const { t } = useTranslation();
  const address = useDoorAddress();
  const isAdmin = useIsAdmin();
  const sendsOn = useHasDeliveries();
  const ohif = useStatus().data?.services.find(({ name }) => name === 'ohif')?.state;
  const ohifClosed = ohif === 'down' || ohif === 'not_configured';
  const ohifLink = { href: address('ohif', ohifPath(study.study_instance_uid)), target: '_blank', rel: 'opener' };
  const label = t('studies.actionsFor', { who: study.patient_id || study.study_instance_uid });
  return (
    <Group gap={4} wrap="nowrap">
      {ohifClosed ? null : compact ? (
        <ActionIcon
          component="a"
          {...ohifLink}
          variant="default"
          size="lg"
          aria-label={t('studies.ohif')}
          title={t('studies.ohif')}
        >
          <IconEye size={18} aria-hidden />
        </ActionIcon>
      ) : (
        <Button component="a" {...ohifLink} leftSection={<IconEye size={18} aria-hidden />}>
          {t('studies.ohif')}
        </Button>
      )}
      <Menu position="bottom-end">
        <Menu.Target>
          <ActionIcon variant="default" size={compact ? 'lg' : 36} aria-label={label}>
            <IconDots size={18} aria-hidden />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            component="a"
            href={address('orthanc', `/app/explorer.html#study?uuid=${study.orthanc_id}`)}
            target="_blank"
            rel="noreferrer"
            leftSection={<IconExternalLink size={16} aria-hidden />}
          >
            {t('studies.explorer')}
          </Menu.Item>
          <Menu.Item
            leftSection={<IconDownload size={16} aria-hidden />}
            onClick={() =>
              void download(`/orthanc/studies/${study.orthanc_id}/archive`, `${study.patient_id || 'study'}.zip`)
            }
          >
            {t('studies.zip')}
          </Menu.Item>
          {sendsOn && (
            <Menu.Item disabled={!isAdmin} leftSection={<IconSend size={16} aria-hidden />} onClick={onSend}>
              {isAdmin ? t('studies.send') : t('studies.sendAdmin')}
            </Menu.Item>
          )}
          <Menu.Divider />
          <Menu.Item
            color="var(--mantine-color-error)"
            disabled={!isAdmin}
            leftSection={<IconTrash size={16} aria-hidden />}
            onClick={onDelete}
          >
            {isAdmin ? t('studies.delete') : t('studies.deleteAdmin')}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
    </Group>
  );
}
