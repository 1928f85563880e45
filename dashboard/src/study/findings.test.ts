import { expect, test } from 'vitest';
import type { Finding } from '../api/models';
import { groupsOf } from './findings';

const finding = (code: string, message: string, severity: Finding['severity'] = 'warning'): Finding => ({
  code,
  severity,
  message,
  remedy: `Mend ${code}.`,
  place: { structure_name: null },
  in_ohif: null,
});

test('what there is to do is said once for findings of one kind, the worst first', () => {
  const groups = groupsOf([
    finding('stale', 'A', 'error'),
    finding('empty', 'B'),
    finding('stale', 'C', 'error'),
    finding('empty', 'D', 'info'),
  ]);
  expect(groups).toEqual([
    { severity: 'error', remedy: 'Mend stale.', messages: ['A', 'C'] },
    { severity: 'warning', remedy: 'Mend empty.', messages: ['B'] },
    { severity: 'info', remedy: 'Mend empty.', messages: ['D'] },
  ]);
});
