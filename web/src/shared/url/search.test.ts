import { expect, it } from 'vitest';

import { parseSearch, stringifySearch } from './search';

it('keeps text as text and repeats lists', () => {
  const search = { from: 'now-1h', f: ['model:is:a b', 'x:has:a%7Cb'], q: '42' };
  const text = stringifySearch(search);
  expect(text).toBe('?from=now-1h&f=model:is:a+b&f=x:has:a%257Cb&q=42');
  expect(parseSearch(text)).toEqual(search);
});

it('leaves out what is absent', () => {
  expect(stringifySearch({ q: undefined, f: undefined })).toBe('');
  expect(parseSearch('')).toEqual({});
});
