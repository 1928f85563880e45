import { Button } from '@mantine/core';
import { IconLanguage } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { LANGUAGES, switchLanguage } from '../i18n';

/** Two languages need no menu: the button names the other one, in its own words. */
export function LanguageSwitch() {
  const { i18n } = useTranslation();
  const other = i18n.language === 'fr' ? 'en' : 'fr';
  return (
    <Button
      variant="default"
      size="sm"
      px="xs"
      lang={other}
      leftSection={<IconLanguage size={18} aria-hidden />}
      onClick={() => void switchLanguage(other)}
    >
      {LANGUAGES[other]}
    </Button>
  );
}
