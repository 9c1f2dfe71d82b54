import { expect, it } from 'vitest';

import { bucketStarts, stack } from './stack';

it('stacks, and keeps what is a gap everywhere', () => {
  expect(
    stack([
      [1, null, null],
      [2, 3, null],
    ]),
  ).toEqual([
    [1, null, null],
    [3, 3, null],
  ]);
  expect(stack([])).toEqual([]);
});

it('lists the buckets that a range touches', () => {
  expect(bucketStarts(61_000, 181_000, 60_000)).toEqual([60_000, 120_000, 180_000]);
  expect(bucketStarts(60_000, 180_000, 60_000)).toEqual([60_000, 120_000]);
  expect(bucketStarts(10, 5, 1)).toEqual([]);
});
