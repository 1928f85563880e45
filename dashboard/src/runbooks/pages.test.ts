import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { runbookPages } from './pages';

function made(files: Record<string, string>) {
  const folder = mkdtempSync(join(tmpdir(), 'runbooks-'));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return runbookPages(folder);
}

test('a page stands under its name and under that of each of its alerts', () => {
  const pages = made({ 'disk.md': '# DiskFull, DiskFills\n\n1. `df -h`\n', 'README.md': '# Runbooks\n' });
  expect(Object.keys(pages).sort()).toEqual(['DiskFills.html', 'DiskFull.html', 'disk.html', 'index.html']);
  expect(pages['disk.html']).toContain('<title>DiskFull, DiskFills</title>');
  expect(pages['disk.html']).toContain('<li><code>df -h</code></li>');
  expect(pages['DiskFull.html']).toBe(pages['disk.html']);
});

test('links between the pages lead to pages, others stay', () => {
  const html = made({ 'a.md': '# A\n\n[b](b.md), [targets](http://localhost:9090/targets)\n' })['a.html'];
  expect(html).toContain('<a href="b.html">');
  expect(html).toContain('<a href="http://localhost:9090/targets">');
});
