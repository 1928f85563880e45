// English and French: the browser's choice first, then what the switch says, remembered on this computer.
import i18next from 'i18next';
import { initReactI18next } from 'react-i18next';
import { addSentences, type Sentences } from './server-words';

export const LANGUAGES = { en: 'English', fr: 'Français' } as const;
export type Language = keyof typeof LANGUAGES;

const REMEMBERED = 'pacs-language';
const bundles = {
  en: () => import('./en.json'),
  fr: () => import('./fr.json'),
};
/** The server's sentences, for languages other than its own. */
const sentences: Partial<Record<Language, () => Promise<{ default: Sentences }>>> = {
  fr: () => import('./server.fr.json'),
};

export function isLanguage(value: string | null | undefined): value is Language {
  return value === 'en' || value === 'fr';
}

function preferred(): Language {
  const remembered = localStorage.getItem(REMEMBERED);
  if (isLanguage(remembered)) return remembered;
  for (const tag of navigator.languages) {
    const language = tag.slice(0, 2);
    if (isLanguage(language)) return language;
  }
  return 'en';
}

async function load(language: Language) {
  if (i18next.hasResourceBundle(language, 'translation')) return;
  const [bundle, spoken] = await Promise.all([bundles[language](), sentences[language]?.()]);
  i18next.addResourceBundle(language, 'translation', bundle.default);
  if (spoken) addSentences(language, spoken.default);
}

export async function startTranslations(): Promise<void> {
  await i18next.use(initReactI18next).init({ resources: {}, lng: preferred(), interpolation: { escapeValue: false } });
  await load(preferred());
  document.documentElement.lang = preferred();
}

export async function switchLanguage(language: Language): Promise<void> {
  await load(language);
  localStorage.setItem(REMEMBERED, language);
  document.documentElement.lang = language;
  await i18next.changeLanguage(language);
}
