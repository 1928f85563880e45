import { Button, Menu } from '@mantine/core';
import { IconDownload } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { useRoutes } from '../api/queries';
import { download } from '../common/notices';

const SET = '/api/extract-rt/{instance_id}';

/** What the plugins may offer for a whole structure set; shown is what this server has. */
const OFFERED = [
  ['report', 'report.html'],
  ['table', 'table.csv'],
  ['dvh', 'dvh.csv'],
  ['nifti', 'labelmap.nii.gz'],
  ['nrrd', 'labelmap.nrrd'],
  ['seg', 'labelmap.seg.dcm'],
  ['glb', 'mesh.glb'],
] as const;

export function Downloads({ instance, label, hasDose }: { instance: string; label: string; hasDose: boolean }) {
  const { t } = useTranslation();
  const routes = useRoutes();
  const name = (label || 'structures').replace(/[^\p{L}\p{N}._-]+/gu, '_');
  const offered = OFFERED.filter(([kind, path]) => routes?.has(`${SET}/${path}`) && (kind !== 'dvh' || hasDose));
  return (
    <Menu position="bottom-end">
      <Menu.Target>
        <Button variant="default" size="xs" leftSection={<IconDownload size={16} aria-hidden />}>
          {t('downloads.title')}
        </Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item onClick={() => void download(`/orthanc/instances/${instance}/file`, `${name}.dcm`)}>
          {t('downloads.dicom')}
        </Menu.Item>
        {offered.map(([kind, path]) => (
          <Menu.Item key={path} onClick={() => void download(`/api/extract-rt/${instance}/${path}`, `${name}.${path}`)}>
            {t(`downloads.${kind}`)}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
