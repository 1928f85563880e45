import { Anchor } from '@mantine/core';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFormat } from '../common/format';
import { useProgress } from './uploads';

/** In the header of every page, while files are on their way. */
export function UploadIndicator() {
  const { t } = useTranslation();
  const format = useFormat();
  const { active, sentBytes, totalBytes } = useProgress();
  if (!active) return null;
  const percent = totalBytes ? Math.floor((100 * sentBytes) / totalBytes) : 0;
  return (
    <Anchor component={Link} to="/upload" size="sm">
      {t('pages.upload')} {format.number(percent)} %
    </Anchor>
  );
}
