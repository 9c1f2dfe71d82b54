import { expect, it } from 'vitest';

import { filterFields, operatorsOf, parseNumber } from './fields';

it('puts the favourites first and leaves out what can not be compared', () => {
  const column = (name: string, type: string) => ({ name, type, doc: '' });
  const tables = [
    {
      name: 'spans',
      doc: '',
      columns: [
        column('release', 'text'),
        column('project_id', 'text'),
        column('events', 'json'),
        column('status', 'text'),
        column('model', 'text'),
      ],
    },
  ];
  expect(filterFields(tables as never).map((field) => field.name)).toEqual(['model', 'status', 'release']);
  expect(filterFields(undefined)).toEqual([]);
  const known = [
    { field: 'model', count: 9, values: [] },
    { field: 'attributes.rare', count: 1, values: [] },
    { field: 'attributes.tier', count: 1_200, values: [] },
  ];
  expect(filterFields(undefined, known)).toEqual([
    { name: 'attributes.tier', type: 'text', doc: 'On 1,200 spans.' },
    { name: 'attributes.rare', type: 'text', doc: 'On 1 spans.' },
  ]);
});

it.each([
  ['2s', 'ms', 2000],
  ['1.5 s', 'ms', 1500],
  ['350', 'ms', 350],
  ['1m', 'ms', 60_000],
  ['$0.01', 'USD', 0.01],
  ['2k', 'tokens', 2000],
  ['2s', 'tokens', undefined],
  ['much', 'ms', undefined],
])('%s of %s is %s', (text, unit, expected) => expect(parseNumber(text, unit)).toBe(expected));

it('offers operators by type', () => {
  expect(operatorsOf('money')[0]).toBe('>=');
  expect(operatorsOf('text_list')).toEqual(['contains', 'exists']);
});
