import { expect, it } from 'vitest';

import { readDefinition, rowsFor } from './definition';

it('reads what is typed, or says what is wrong', () => {
  expect(readDefinition('{"name": "x"}')).toEqual({ name: 'x' });
  expect(readDefinition('[1]')).toBe('Expected an object, written {…}.');
  expect(readDefinition('null')).toBe('Expected an object, written {…}.');
  expect(readDefinition('{"name": ')).toMatch(/JSON/);
});

it('has room for what is typed', () => {
  expect(rowsFor('')).toBe(8);
  expect(rowsFor('\n'.repeat(11))).toBe(13);
  expect(rowsFor('\n'.repeat(99))).toBe(24);
});
