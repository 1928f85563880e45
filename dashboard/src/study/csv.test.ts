import { expect, test } from 'vitest';
import { parseCsv } from './csv';

test('commas, quotes and line ends within a cell stay in it', () => {
  expect(parseCsv('\uFEFFnumber,name\r\n1,"GTV, ""boost""\nleft"\r\n2,Heart\r\n')).toEqual([
    { number: '1', name: 'GTV, "boost"\nleft' },
    { number: '2', name: 'Heart' },
  ]);
});

test('a table without rows has none', () => {
  expect(parseCsv('number,name\r\n')).toEqual([]);
});
