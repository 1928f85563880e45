import { expect, test } from 'vitest';
import { allows, changed, filtersOf, pageOf } from './search';

test('what stands in the address is what is asked', () => {
  const address = new URLSearchParams('state=failed&destination=dcm4chee&q=d%C3%BCrer&page=3&other=1');
  expect(filtersOf(address)).toEqual({ state: 'failed', destination: 'dcm4chee', q: 'dürer' });
  expect(pageOf(address)).toBe(3);
});

test('a state or page that does not exist is left out', () => {
  expect(filtersOf(new URLSearchParams('state=lost'))).toEqual({});
  expect(pageOf(new URLSearchParams('page=-2'))).toBe(1);
  expect(pageOf(new URLSearchParams('page=x'))).toBe(1);
});

test('another filter begins at the first page, another page keeps the filters', () => {
  const address = new URLSearchParams('state=failed&page=3');
  expect(changed(address, 'destination', 'xnat').toString()).toBe('state=failed&destination=xnat');
  expect(changed(address, 'page', '4').toString()).toBe('state=failed&page=4');
  expect(changed(address, 'page', '1').toString()).toBe('state=failed');
  expect(changed(address, 'state', '').toString()).toBe('');
});

test('what is delivered is neither sent again nor cancelled', () => {
  expect(allows('retry', 'delivered')).toBe(false);
  expect(allows('cancel', 'delivered')).toBe(false);
  expect(allows('retry', 'failed')).toBe(true);
  expect(allows('cancel', 'sending')).toBe(true);
});
