import { expect, it } from 'vitest';

import type { ComparedPairs, Run } from '@/api/types';

import { askedOf } from './asked';
import { diffOf } from './diff';
import {
  formatP,
  formatSigned,
  halfOf,
  isLower,
  metricsOf,
  othersItems,
  sentenceOf,
  toneOf,
} from './figures';
import { sortedRuns } from './order';
import { differencesOf } from './settings';
import { readCompareSearch } from '@/shared/url/compare-search';

const run = (id: string, mean?: number, more: Partial<Run> = {}): Run => ({
  id,
  experiment: 'answers',
  status: 'finished',
  started_at: `2026-01-0${id}T00:00:00Z`,
  actor: 'key',
  name: `run ${id}`,
  metrics: [{ name: 'quality' }],
  items: 10,
  failed_items: 0,
  summary: {
    errors: 0,
    metrics: [
      {
        metric: 'quality',
        errors: 0,
        values:
          mean === undefined
            ? undefined
            : { n: 100, mean, sd: 0.5, min: 0, p10: 0, p25: 0, p50: 0, p75: 0, p90: 0, max: 1 },
      },
    ],
  },
  ...more,
});

const pairs = (more: Partial<ComparedPairs> = {}): ComparedPairs => ({
  n: 40,
  mean: 0.1,
  low: 0.02,
  high: 0.18,
  p_value: 0.004,
  p_adjusted: 0.008,
  detectable: 0.11,
  wins: 20,
  ties: 15,
  losses: 5,
  verdict: 'better',
  ...more,
});

it('marks what was taken out and what was put in', () => {
  const marked = (before: string, after: string): string =>
    diffOf(before, after)
      .map(({ kind, text }) => (kind === 'both' ? text : kind === 'new' ? `[+${text}]` : `[-${text}]`))
      .join('');
  expect(marked('It stops in Linz.', 'It stops in Graz.')).toBe('It stops in [-Linz][+Graz].');
  expect(marked('a b c d', 'a x c y d')).toBe('a [-b ][+x ]c [+y ]d');
  expect(marked('is in the depot of Linz.', 'is in Linz and leaves.')).toBe(
    'is in [-the depot of Linz][+Linz and leaves].',
  );
  expect(marked('', 'new')).toBe('[+new]');
  expect(marked('gone', '')).toBe('[-gone]');
  expect(marked('the same', 'the same')).toBe('the same');
  expect(marked('über', 'unter')).toBe('[-über][+unter]');
});

it('gives both texts back, whatever they are', () => {
  const words = (count: number, seed: number): string =>
    Array.from({ length: count }, (_, i) => ['a', 'b', 'c', 'd'][(i * seed + (i % 3)) % 4]).join(' ');
  for (const [before, after] of [
    [words(40, 3), words(50, 5)],
    [words(3_000, 3), words(3_000, 7)],
  ] as const) {
    const stretches = diffOf(before, after);
    const side = (leave: string): string =>
      stretches.flatMap(({ kind, text }) => (kind === leave ? [] : [text])).join('');
    expect([side('new'), side('gone')]).toEqual([before, after]);
  }
});

it('sorts runs, what is unknown last', () => {
  const runs = [run('1', 0.5), run('2'), run('3', 0.9)];
  const ids = (by: string, down: boolean): string =>
    sortedRuns(runs, { by, down })
      .map(({ id }) => id)
      .join('');
  expect(ids('metric:quality', true)).toBe('312');
  expect(ids('metric:quality', false)).toBe('132');
  expect(ids('started', true)).toBe('321');
});

it('knows the metrics of runs, which way they are good, and how sure a mean is', () => {
  const noise = run('1', 0.5, { metrics: [{ name: 'noise', direction: 'lower' }] });
  expect(metricsOf([noise, run('2', 1)])).toEqual(['noise', 'quality']);
  expect([isLower([noise], 'noise'), isLower([noise], 'quality')]).toEqual([true, false]);
  expect([toneOf(0.1, false), toneOf(0.1, true), toneOf(0, true)]).toEqual(['good', 'bad', 'same']);
  expect(halfOf(run('1', 0.5).summary?.metrics[0])).toBeCloseTo(0.098);
  expect(halfOf(run('1').summary?.metrics[0])).toBeUndefined();
});

it('says in a sentence what may be said', () => {
  expect(sentenceOf('quality', pairs())).toBe(
    'On 40 items the mean moved by +0.1, between +0.02 and +0.18 in 95 of 100 cases. p = 0.004; p = 0.008 corrected for the number of comparisons.',
  );
  expect(sentenceOf('quality', pairs({ verdict: 'unclear' }))).toContain(
    'Chance may have made that. So many items find a difference of 0.11 in four of five cases.',
  );
  expect(sentenceOf('quality', pairs({ verdict: 'same' }))).toBe('All 40 items are the same.');
  expect([formatP(0.00001), formatP(0.25), formatSigned('cost', -0.002)]).toEqual([
    'p < 0.001',
    'p = 0.25',
    '−$0.0020',
  ]);
});

it('tells runs over other items apart', () => {
  const runs = [
    run('1', 1, { items_hash: 'a' }),
    run('2', 1, { items_hash: 'a' }),
    run('3', 1, { items_hash: 'b' }),
  ];
  expect(othersItems(runs).map(({ id }) => id)).toEqual(['3']);
});

it('reads the address of a comparison, and leaves out what it can not be', () => {
  const told = readCompareSearch({ ids: 'a,b', show: 'worse', page: '2', segment: 'language:de' });
  expect(told).toMatchObject({ ids: 'a,b', show: 'worse', page: 2, segment: 'language:de' });
  expect(readCompareSearch({ show: 'wors', page: '-1' })).toEqual({});
});

it('tells what was set otherwise', () => {
  const set = (config: Run['config'], threshold?: number): Run =>
    run('1', 1, { target: 'route chat', config, metrics: [{ name: 'quality', threshold }] });
  const runs = [
    set({ model: { name: 'small', temperature: 0 }, stop: ['a'] }, 0.5),
    set({ model: { name: 'large', temperature: 0 }, stop: ['a', 'b'] }),
  ];
  expect(differencesOf(runs)).toEqual([
    { name: 'model.name', values: ['small', 'large'] },
    { name: 'stop', values: ['["a"]', '["a","b"]'] },
    { name: 'quality.threshold', values: ['0.5', ''] },
  ]);
  expect(differencesOf([run('1'), run('1')])).toEqual([]);
});

it('leads from a run to the version whose items it asked', () => {
  const version = '6f1c0b5d9a426f1c0b5d9a426f1c0b5d';
  const asked = (more: object) => askedOf({ ...run('1'), ...more });
  expect(asked({})).toBeUndefined();
  expect(asked({ dataset: 'questions.jsonl' })).toEqual({ label: 'questions.jsonl' });
  expect(asked({ dataset: `gold@${version}`, dataset_version: version })).toEqual({
    label: 'gold@6f1c0b5d9a',
    name: 'gold',
    version,
  });
  expect(asked({ dataset: 'gold@v2', dataset_version: version })?.label).toBe('gold@v2');
});
