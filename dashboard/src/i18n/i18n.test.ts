import { expect, test } from 'vitest';
import en from './en.json';
import fr from './fr.json';

function keysOf(bundle: object, prefix = ''): string[] {
  return Object.entries(bundle).flatMap(([key, value]) =>
    typeof value === 'object' ? keysOf(value, `${prefix}${key}.`) : [`${prefix}${key}`],
  );
}

const variablesOf = (text: string) => [...text.matchAll(/\{\{(\w+)/g)].map((match) => match[1]).sort();

function textAt(bundle: object, key: string): string {
  return key.split('.').reduce<unknown>((value, part) => (value as Record<string, unknown>)[part], bundle) as string;
}

test('both languages say the same things', () => {
  // French has one plural form more ("many", for millions).
  const french = keysOf(fr).filter((key) => !key.endsWith('_many'));
  expect(french.sort()).toEqual(keysOf(en).sort());
});

test('every plural of French has its form for millions', () => {
  const plurals = keysOf(fr).filter((key) => key.endsWith('_other'));
  expect(keysOf(fr)).toEqual(expect.arrayContaining(plurals.map((key) => key.replace('_other', '_many'))));
});

test('translations name the same values', () => {
  for (const key of keysOf(en))
    expect([key, variablesOf(textAt(fr, key))]).toEqual([key, variablesOf(textAt(en, key))]);
});
