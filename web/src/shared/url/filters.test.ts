import { describe, expect, it } from 'vitest';

import { type Chip, readChip, readChips, toFilter, withChip, writeChip } from './filters';

describe('filter chips in the URL', () => {
  const round: [Chip, string][] = [
    [{ field: 'model', op: '=', value: 'gpt-4o-mini' }, 'model:is:gpt-4o-mini'],
    [{ field: 'duration_ms', op: '>=', value: 2000 }, 'duration_ms:gte:2000'],
    [{ field: 'cost', op: '>', value: 0.001 }, 'cost:gt:0.001'],
    [{ field: 'user_id', op: '=', value: '42' }, 'user_id:is:"42"'],
    [{ field: 'streaming', op: '=', value: true }, 'streaming:is:true'],
    [{ field: 'status', op: 'in', value: ['ok', 'error'] }, 'status:in:ok|error'],
    [{ field: 'name', op: 'contains', value: 'a|b:50%' }, 'name:has:a%7Cb:50%25'],
    [{ field: 'attributes.http:route', op: 'exists', value: undefined }, 'attributes.http%3Aroute:exists'],
    [{ field: 'name', op: '=', value: '' }, 'name:is:""'],
    [{ field: 'name', op: '=', value: '"quoted"' }, 'name:is:"\\"quoted\\""'],
    [{ field: 'name', op: '!=', value: 'true' }, 'name:not:"true"'],
  ];
  it.each(round)('%j ↔ %s', (chip, text) => {
    expect(writeChip(chip)).toBe(text);
    expect(readChip(text)).toEqual(chip);
  });

  it('leaves out what can not be read', () => {
    expect(readChips(['model', 'model:like:x', ':is:x', 'status:is:ok'])).toEqual([
      { field: 'status', op: '=', value: 'ok' },
    ]);
    expect(readChips(undefined)).toEqual([]);
    expect(readChip('name:is:%zz')).toEqual({ field: 'name', op: '=', value: '%zz' });
  });

  it('makes the filter of the API', () => {
    const status: Chip = { field: 'status', op: '=', value: 'error' };
    expect(toFilter([])).toBeUndefined();
    expect(toFilter([status])).toEqual(status);
    expect(toFilter([status, { field: 'model', op: 'exists', value: undefined }])).toEqual({
      all: [status, { field: 'model', op: 'exists' }],
    });
  });

  it('replaces a chip of the same field and operator', () => {
    const chips = withChip([{ field: 'model', op: '=', value: 'a' }], {
      field: 'model',
      op: '=',
      value: 'b',
    });
    expect(chips).toEqual([{ field: 'model', op: '=', value: 'b' }]);
  });
});
