import { readdirSync } from 'node:fs';

import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import reactHooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

const features = readdirSync(new URL('src/features', import.meta.url), { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map((entry) => entry.name);

/** Files of a folder may not import what matches. Folders import each other by `@/…` only. */
const zone = (folder, ...patterns) => ({
  files: [`src/${folder}/**/*.{ts,tsx}`],
  rules: { '@typescript-eslint/no-restricted-imports': ['error', { patterns }] },
});
const escape = { regex: '^(\\.\\./){2}', message: 'Write `@/…` for what is outside this folder.' };

/** Imports go one way: app → features → shared → api. */
const zones = [
  ...features.map((name) =>
    zone(
      `features/${name}`,
      {
        regex: `^@/features/(?!${name}/)`,
        message: 'Features do not import each other: move what both need to `shared`.',
      },
      { regex: '^@/app/', message: 'A feature does not know the app around it.' },
      escape,
    ),
  ),
  zone('shared', { regex: '^@/(features|app)/', message: '`shared` knows no feature and no app.' }, escape),
  zone('api', { regex: '^@/(shared|features|app)/', message: '`api` is the lowest floor.' }, escape),
];

const browser = Object.fromEntries(
  ['URL', 'document', 'localStorage', 'matchMedia'].map((name) => [name, 'readonly']),
);

export default defineConfig(
  { ignores: ['dist', 'node_modules', 'src/api/schema.ts'] },
  { ...js.configs.recommended, languageOptions: { globals: browser } },
  {
    files: ['src/**/*.{ts,tsx}'],
    extends: [
      tseslint.configs.strictTypeChecked,
      tseslint.configs.stylisticTypeChecked,
      reactHooks.configs.flat.recommended,
    ],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
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
  ...zones,
);
