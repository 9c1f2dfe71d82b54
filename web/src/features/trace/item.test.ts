import { expect, it } from 'vitest';

import { itemWith } from './item';

const item = { id: 'a', input: 'Where?', output: 'Here', source: { trace_id: 't' } };

it('takes the answer that was mended, and a split', () => {
  expect(itemWith(item, 'There', 'test')).toEqual({ ...item, reference: 'There', split: 'test' });
  expect(itemWith({ ...item, reference: 'old' }, '  ', '')).toEqual(item);
});

it('keeps calls of tools what they are', () => {
  const calls = [{ name: 'find', arguments: { a: 1 } }];
  expect(itemWith({ ...item, output: calls }, JSON.stringify(calls), '').reference).toEqual(calls);
  expect(itemWith({ ...item, output: calls }, 'just text', '').reference).toBe('just text');
  expect(itemWith(item, '{"a": 1}', '').reference).toBe('{"a": 1}');
});
