import { expect, test } from 'vitest';
import { dicomDate, formatsOf, personName } from './format';

test('a person name is the family name, then the others, without the ideographic group', () => {
  expect(personName('Müller^Anna^Maria^Dr.')).toBe('Müller, Dr. Anna Maria');
  expect(personName('Yamada^Tarou=山田^太郎')).toBe('Yamada, Tarou');
  expect(personName('STS_001')).toBe('STS_001');
  expect(personName('')).toBe('');
});

test('what is no date is shown as it is', () => {
  expect(dicomDate('20240230x')).toBeNull();
  expect(formatsOf('en').date('unknown')).toBe('unknown');
  expect(formatsOf('en').date('20240229')).toBe('Feb 29, 2024');
});

test('numbers and sizes follow the language', () => {
  expect(formatsOf('en').number(1234567.5)).toBe('1,234,567.5');
  expect(formatsOf('fr').bytes(1_540_000_000)).toMatch(/^1,5\sGo$/);
  expect(formatsOf('en').bytes(0)).toBe('0 byte');
});
