import { expect, it } from 'vitest';

import type { MetricAbout } from '@/api/types';
import { formatScore } from '@/shared/format/numbers';

import { draftOf, read, snippetsOf } from './draft';
import { familiesOf, found, rangeOf } from './families';

const metric = (more: Partial<MetricAbout> = {}): MetricAbout => ({
  name: 'rouge1',
  aliases: ['rouge_1'],
  family: 'text',
  summary: 'Words that both share.',
  formula: 'F of precision and recall',
  source: 'Lin 2004',
  inputs: ['output', 'reference'],
  optional_inputs: [],
  low: 0,
  high: 1,
  direction: 'higher',
  threshold: 0.3,
  options: [],
  example: { output: 'the dog', reference: ['the dog', 'a dog'] },
  ...more,
});

it('sorts by family and finds by name, other names and inputs', () => {
  const all = [
    metric(),
    metric({ name: 'ndcg', aliases: [], family: 'retrieval' }),
    metric({ family: 'new' }),
  ];
  expect(familiesOf(all).map(({ title, metrics }) => [title, metrics.length])).toEqual([
    ['Text', 1],
    ['Retrieval', 1],
    ['New', 1],
  ]);
  expect(found(all, ' ROUGE_1 lin').map(({ family }) => family)).toEqual(['text', 'new']);
  expect(found(all, 'nothing like it')).toEqual([]);
  expect(found(all, '')).toBe(all);
});

it('tells where values lie', () => {
  const ranges: Partial<MetricAbout>[] = [
    {},
    { high: undefined },
    { low: undefined },
    { low: undefined, high: undefined },
  ];
  expect(ranges.map((range) => rangeOf(metric(range)))).toEqual([
    '0 to 1',
    '0 or more',
    'up to 1',
    'any number',
  ]);
  expect([0.123456, 51.15078, 100, 0, 0.00012, undefined].map(formatScore)).toEqual([
    '0.123',
    '51.15',
    '100',
    '0',
    '1.20e-4',
    '–',
  ]);
});

it('asks for what is typed, texts as they are and JSON read', () => {
  const draft = draftOf(metric());
  expect(draft.fields.output).toEqual({ text: 'the dog', json: false });
  const asked = { ...draft, options: { stem: 'false', part: '' }, threshold: '0.5' };
  expect(read(metric(), asked)).toEqual({
    ask: {
      metrics: [{ name: 'rouge1', options: { stem: 'false' }, threshold: 0.5 }],
      cases: [{ output: 'the dog', reference: ['the dog', 'a dog'] }],
    },
  });
});

it('says where something is no JSON or no number, and leaves out what is optional and empty', () => {
  const draft = draftOf(metric({ optional_inputs: ['context'] }));
  draft.fields.reference = { text: '["a"', json: true };
  const wrong = read(metric(), { ...draft, threshold: 'much' });
  expect('problems' in wrong && Object.keys(wrong.problems)).toEqual(['reference', 'threshold']);
  draft.fields.reference = { text: '', json: false };
  const told = read(metric({ optional_inputs: ['context'] }), draft);
  // An empty answer is a case; an empty context is none.
  expect('ask' in told && told.ask.cases).toEqual([{ output: 'the dog', reference: '' }]);
});

it('writes commands that a shell and Python can read', () => {
  const draft = { ...draftOf(metric()), options: { stem: 'false' } };
  draft.fields.output = { text: "it's", json: false };
  const told = read(metric(), draft);
  if (!('ask' in told)) throw new Error('no request');
  const [cli, curl, py] = snippetsOf(metric(), told.ask, 'http://box');
  expect(cli?.code).toContain(String.raw`"output":"it'\''s"`);
  expect(cli?.code).toContain("eval metric rouge1 --jsonl --evidence --option 'stem=false'");
  expect(curl?.code).toContain('curl http://box/api/v1/evaluate');
  expect(py?.code).toContain('"options": {"stem": "false"}');
  expect(py?.code).not.toContain('threshold');
});
