import { expect, test } from 'vitest';
import french from './server.fr.json';
import { translatorOf } from './server-words';

const say = translatorOf(french);

test('a sentence keeps its values', () => {
  expect(say('the ZIP archive unpacks to 900 MB; 512 MB are allowed')).toBe(
    'l’archive ZIP fait 900 Mo une fois décompressée ; 512 Mo sont permis',
  );
});

test('the sentence that says most is chosen', () => {
  expect(say('Heart: 3 contours are there twice.')).toBe('Heart : 3 contours en double.');
  expect(say('GTV_1 has no contour on 1 plane between positions -3.00 and 3.00 mm.')).toBe(
    'GTV_1 n’a pas de contour sur 1 plan entre les positions -3.00 et 3.00 mm.',
  );
});

test('a sentence within a sentence is said too', () => {
  expect(say('It cannot be repaired: No structure has a contour that can be read.')).toBe(
    'Il ne peut pas être réparé : Aucune structure n’a de contour lisible.',
  );
});

test('the name of the structure and the code around a warning stay', () => {
  expect(say('Lung (L): ROI Number 3 has no contours. (no_contours)')).toBe(
    'Lung (L) : Le ROI numéro 3 n’a pas de contours. (no_contours)',
  );
});

test('what is not known stays as it is', () => {
  expect(say('Something new happened.')).toBeNull();
  expect(say('')).toBeNull();
});

test('each translation takes its values from its sentence', () => {
  for (const [english, translated] of Object.entries(french)) {
    const count = english.split('{}').length - 1;
    for (const [, index] of translated.matchAll(/\{(\d)\}/g))
      expect([english, Number(index) < count]).toEqual([english, true]);
    expect([english, translated.includes('{}')]).toEqual([english, false]);
  }
});
