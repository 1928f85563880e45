// The server speaks English. What it says to people is known by its sentences, with {} where a value stands.
import { useTranslation } from 'react-i18next';
import type { Language } from '.';

export type Sentences = Record<string, string>;
type Translator = (text: string) => string | null;

const quoted = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Says a sentence in another language; null when it is not known. Values that are sentences themselves are said too. */
export function translatorOf(sentences: Sentences): Translator {
  const known = Object.entries(sentences)
    // The most telling first: "{}: {} contours are there twice." before what would fit anything.
    .sort(([one], [other]) => other.length - one.length)
    .map(([english, translated]) => ({
      pattern: new RegExp(`^${english.split('{}').map(quoted).join('(.+?)')}$`, 's'),
      translated,
    }));
  function say(text: string): string | null {
    for (const { pattern, translated } of known) {
      const values = pattern.exec(text)?.slice(1);
      if (values) return translated.replace(/\{(\d)\}/g, (_, index) => say(values[index] ?? '') ?? values[index] ?? '');
    }
    // A name or a place before it, a code behind it: "GTV: ROI Number 3 has no contours. (no_contours)".
    const framed = /^(?:([^:]+): )?(.+?)( \(\w+\))?$/s.exec(text);
    const [, before, inner = '', code = ''] = framed ?? [];
    if (before === undefined && !code) return null;
    const said = say(inner);
    return said && `${before ? `${before} : ` : ''}${said}${code}`;
  }
  const told = new Map<string, string | null>();
  return (text) => {
    const before = told.get(text);
    if (before !== undefined) return before;
    const said = say(text);
    told.set(text, said);
    return said;
  };
}

const translators: Partial<Record<Language, Translator>> = {};

export function addSentences(language: Language, sentences: Sentences): void {
  translators[language] = translatorOf(sentences);
}

export interface Words {
  readonly text: string;
  /** For screen readers: English where there is no translation. */
  readonly lang: string;
}

/** What the server has said, in the reader's language where that is known, with the language it is in. */
export function useServerWords(): (...sentences: (string | null | undefined)[]) => Words {
  const { language } = useTranslation().i18n;
  return (...sentences) => {
    const said = sentences.filter((sentence): sentence is string => Boolean(sentence));
    const translated = said.map((sentence) => translators[language as Language]?.(sentence) ?? null);
    return {
      text: said.map((sentence, index) => translated[index] ?? sentence).join(' '),
      lang: translated.every((sentence) => sentence !== null) ? language : 'en',
    };
  };
}
