import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig } from 'vitest/config';
import { runbookPages } from './src/runbooks/pages';

// nginx serves what is compressed already (gzip_static); the official image has no brotli.
function precompressed(): Plugin {
  return {
    name: 'precompressed',
    apply: 'build',
    // Not earlier: Vite itself still changes the files while the bundle is generated.
    writeBundle({ dir = 'dist' }) {
      for (const name of readdirSync(dir, { recursive: true, encoding: 'utf8' })) {
        const file = join(dir, name);
        if (/\.(js|css|html|svg)$/.test(name) && statSync(file).size > 1024) {
          writeFileSync(`${file}.gz`, gzipSync(readFileSync(file), { level: 9 }));
        }
      }
    },
  };
}

function runbooks(): Plugin {
  return {
    name: 'runbooks',
    apply: 'build',
    generateBundle() {
      for (const [name, source] of Object.entries(runbookPages('../docs/runbooks'))) {
        this.emitFile({ type: 'asset', fileName: `runbooks/${name}`, source });
      }
    },
  };
}

export default defineConfig({
  plugins: [react(), runbooks(), precompressed()],
  build: {
    target: 'es2022',
    // An inlined file would need "data:" in the page's policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 900,
    rolldownOptions: {
      output: {
        // What changes with its versions only stays cached when the site itself changes.
        codeSplitting: {
          groups: [
            {
              name: 'vendor',
              test: /node_modules\/(react|react-dom|scheduler|react-router|react-i18next|i18next|axios|@tanstack)\//,
            },
          ],
        },
      },
    },
  },
  server: {
    proxy: {
      '/api': process.env.PACS ?? 'http://127.0.0.1:3000',
      '/orthanc': process.env.PACS ?? 'http://127.0.0.1:3000',
      '/doors.json': process.env.PACS ?? 'http://127.0.0.1:3000',
    },
  },
  test: { include: ['src/**/*.test.{ts,tsx}'] },
});
