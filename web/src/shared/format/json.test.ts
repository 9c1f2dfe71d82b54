import { expect, it } from 'vitest';

import { compactJson } from './json';

it('breaks lines only where they would be too long', () => {
  const query = {
    table: 'spans',
    measures: [
      { fn: 'count', as: 'n' },
      { fn: 'p95', column: 'duration_ms' },
    ],
    filter: undefined,
  };
  expect(compactJson(query, 50)).toBe(`{
  "table": "spans",
  "measures": [
    { "fn": "count", "as": "n" },
    { "fn": "p95", "column": "duration_ms" }
  ]
}`);
});

it('is the same JSON', () => {
  const value = { a: [], b: {}, c: 'x"y\n', d: [1, [2, { e: null }]], f: true };
  expect(JSON.parse(compactJson(value, 10))).toEqual(value);
});
