import { fileURLToPath } from 'node:url';

import tailwindcss from '@tailwindcss/vite';
import react from '@vitejs/plugin-react';
import { defineConfig } from 'vitest/config';

const backend = process.env['SIGNALBOX_URL'] ?? 'http://127.0.0.1:7300';

export default defineConfig({
  plugins: [react(), tailwindcss()],
  resolve: { alias: { '@': fileURLToPath(new URL('./src', import.meta.url)) } },
  server: { proxy: { '/api': backend, '/v1': backend, '/healthz': backend, '/readyz': backend } },
  build: {
    target: 'es2022',
    // Fonts stay files: inlined ones would be loaded by everybody, whatever the alphabet.
    assetsInlineLimit: 0,
  },
  test: { environment: 'node', include: ['src/**/*.test.ts'] },
});
