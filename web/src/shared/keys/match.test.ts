import { expect, it } from 'vitest';

import { endsWith, type KeyLike, readStrokes } from './match';

const press = (key: string, more: Partial<KeyLike> = {}): KeyLike => ({
  key,
  metaKey: false,
  ctrlKey: false,
  altKey: false,
  ...more,
});

it.each<[string, KeyLike[], boolean]>([
  ['j', [press('j')], true],
  ['j', [press('j', { ctrlKey: true })], false],
  ['mod+k', [press('k', { metaKey: true })], true],
  ['mod+k', [press('k')], false],
  ['g o', [press('g'), press('o')], true],
  ['g o', [press('o')], false],
  ['g o', [press('g'), press('x'), press('o')], false],
  ['?', [press('?')], true],
  ['escape', [press('Escape')], true],
])('%s', (keys, history, expected) => {
  expect(endsWith(history, readStrokes(keys))).toBe(expected);
});
