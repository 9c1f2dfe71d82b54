import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import js from '@eslint/js';
import { createNodeResolver, importX } from 'eslint-plugin-import-x';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';

const features = readdirSync(new URL('src/features', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** A feature may use `shared` and `api`; `shared` knows no feature; nobody but `app` knows `app`. */
const zones = [
  ...features.map((name) => ({
    target: `./src/features/${name}`,
    from: './src/features',
    except: [`./${name}`],
    message: 'Features do not import each other: move what both need to `shared`.',
  })),
  { target: './src/features', from: './src/app', message: 'A feature does not know the app around it.' },
  { target: './src/shared', from: './src/features', message: '`shared` knows no feature.' },
  { target: './src/shared', from: './src/app', message: '`shared` does not know the app.' },
  {
    target: './src/api',
    from: ['./src/shared', './src/features', './src/app'],
    message: '`api` is the lowest floor.',
  },
];

export default defineConfig(
  { ignores: ['dist', 'node_modules', 'src/api/schema.ts'] },
  {
    ...js.configs.recommended,
    languageOptions: {
      globals: { URL: 'readonly', document: 'readonly', localStorage: 'readonly', matchMedia: 'readonly' },
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      reactHooks.configs.flat.recommended,
    ],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    settings: {
      'import-x/resolver-next': [
        createNodeResolver({
          extensions: ['.ts', '.tsx', '.js'],
          alias: { '@': [fileURLToPath(new URL('src', import.meta.url))] },
        }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': ['error', { zones }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // Router redirects are thrown.
      '@typescript-eslint/only-throw-error': 'off',
      // About the React Compiler, which is not used here; virtual lists are fine without it.
      'react-hooks/incompatible-library': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
);
