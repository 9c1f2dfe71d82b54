import { describe, expect, it } from 'vitest';

import {
  changeOf,
  trimZeros,
  formatBytes,
  formatChange,
  formatCost,
  formatCount,
  formatDuration,
  formatShare,
} from './numbers';

describe('numbers for people', () => {
  it.each([
    [undefined, '–'],
    [0, '0 ms'],
    [0.42, '0.42 ms'],
    [7.25, '7.3 ms'],
    [482.4, '482 ms'],
    [999.6, '1.00 s'],
    [1240, '1.24 s'],
    [12_345, '12.3 s'],
    [59_960, '1m 00s'],
    [125_000, '2m 05s'],
    [3_720_000, '1h 02m'],
  ])('duration %s → %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it.each([
    [null, '–'],
    [0, '$0'],
    [0.00000375, '$0.0000038'],
    [0.00042, '$0.00042'],
    [0.0123, '$0.012'],
    [0.5, '$0.500'],
    [12.345, '$12.35'],
    [12_345, '$12.3k'],
  ])('cost %s → %s', (dollars, text) => expect(formatCost(dollars)).toBe(text));

  it('counts, shares, changes, bytes', () => {
    expect(formatCount(9_999)).toBe('9,999');
    expect(formatCount(12_400)).toBe('12.4k');
    expect(formatShare(0.0004)).toBe('<0.1%');
    expect(formatShare(0.034)).toBe('3.4%');
    expect(changeOf(15, 10)).toBe(0.5);
    expect(changeOf(15, 0)).toBeUndefined();
    expect(formatChange(-0.5)).toBe('50%');
    expect(formatChange(19)).toBe('20×');
    expect(formatBytes(1_234_567)).toBe('1.2 MB');
    expect(formatBytes(0)).toBe('0 B');
  });
});

it.each([
  ['6.00 s', '6 s'],
  ['$0.100', '$0.1'],
  ['$0.050', '$0.05'],
  ['100 ms', '100 ms'],
  ['1.5M', '1.5M'],
  ['2m 00s', '2m 00s'],
])('the mark %s is %s', (text, mark) => expect(trimZeros(text)).toBe(mark));
