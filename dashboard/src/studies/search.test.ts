import { expect, test } from 'vitest';
import { askedOf, readSearch, writeSearch } from './search';

test('an address says the same after reading and writing it', () => {
  const address = 'q=M%C3%BCl*&modality=CT&date_from=2024-01-01&sort=study_date&order=asc&page=3';
  expect(writeSearch(readSearch(new URLSearchParams(address))).toString()).toBe(address);
});

test('the plain list has a plain address', () => {
  expect(writeSearch(readSearch(new URLSearchParams('order=desc&page=1&sort=arrived_at&q='))).toString()).toBe('');
});

test('nonsense in the address is the first page of the plain list', () => {
  expect(readSearch(new URLSearchParams('page=-4&sort=drop+table'))).toEqual({
    text: {},
    sort: 'arrived_at',
    descending: true,
    page: 1,
  });
});

test('the third page is asked from the fiftieth study on', () => {
  expect(askedOf(readSearch(new URLSearchParams('page=3')))).toMatchObject({ limit: 25, offset: 50, order: 'desc' });
});
