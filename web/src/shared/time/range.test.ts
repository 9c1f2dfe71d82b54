import { describe, expect, it } from 'vitest';

import { agoMs, boundsOf, bucketFor, describeRange, presets, previousRange, readRange } from './range';

describe('ranges', () => {
  it.each([
    ['now', 0],
    ['now-15m', 900_000],
    ['now-250ms', 250],
    ['now-1y', undefined],
    ['2026-01-01T00:00:00Z', undefined],
  ])('%s is %s ms ago', (bound, ms) => {
    expect(agoMs(bound)).toBe(ms);
  });

  it('falls back to the last hour where the URL says nothing that holds', () => {
    expect(readRange({})).toEqual({ from: 'now-1h', to: 'now' });
    expect(readRange({ from: 'yesterday', to: 'now' })).toEqual({ from: 'now-1h', to: 'now' });
    expect(readRange({ from: 'now', to: 'now-1h' })).toEqual({ from: 'now-1h', to: 'now' });
    expect(readRange({ from: 'now-7d' })).toEqual({ from: 'now-7d', to: 'now' });
  });

  it('finds the range before', () => {
    expect(previousRange({ from: 'now-1h', to: 'now' })).toEqual({ from: 'now-7200s', to: 'now-1h' });
    expect(previousRange({ from: '2026-01-02T00:00:00Z', to: '2026-01-03T00:00:00Z' })).toEqual({
      from: '2026-01-01T00:00:00.000Z',
      to: '2026-01-02T00:00:00.000Z',
    });
  });

  it('resolves against a given now', () => {
    expect(boundsOf({ from: 'now-1m', to: 'now' }, 100_000)).toEqual({ from: 40_000, to: 100_000 });
  });

  it.each(presets.map((preset) => [preset.from] as const))('draws %s in 40 to 75 buckets', (from) => {
    const range = { from, to: 'now' };
    const { from: start, to } = boundsOf(range);
    const count = (to - start) / bucketFor(range).ms;
    expect(count).toBeGreaterThanOrEqual(40);
    expect(count).toBeLessThanOrEqual(75);
  });

  it('names presets', () => {
    expect(describeRange({ from: 'now-6h', to: 'now' })).toBe('Last 6 hours');
  });
});
