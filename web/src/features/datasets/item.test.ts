import { expect, it } from 'vitest';

import {
  changedWords,
  columnsOf,
  draftOf,
  formatOf,
  guessRenames,
  lineOf,
  messagesOf,
  renameParam,
  splitsOf,
  valueOf,
} from './item';

it('knows a conversation, whoever wrote it', () => {
  const openai = [
    { role: 'developer', content: 'Be kind.' },
    { role: 'user', content: [{ type: 'text', text: 'Where is it?' }] },
    {
      role: 'assistant',
      content: null,
      tool_calls: [{ id: 'c', function: { name: 'find', arguments: '{"a":1}' } }],
    },
  ];
  const messages = messagesOf({ messages: openai });
  expect(messages?.map((message) => message.role)).toEqual(['system', 'user', 'assistant']);
  expect(messages?.[2]?.parts).toEqual([{ type: 'tool_call', id: 'c', name: 'find', arguments: { a: 1 } }]);
  expect(lineOf(openai)).toBe('Where is it?');
  expect(messagesOf(JSON.stringify(openai))).toHaveLength(3);
  expect(messagesOf([{ role: 'user', parts: [{ type: 'text', content: 'Hi' }] }])).toHaveLength(1);
  expect(messagesOf('Hi')).toBeUndefined();
  expect(messagesOf([])).toBeUndefined();
  expect(messagesOf([{ role: 'king', content: 'Hi' }])).toBeUndefined();
  expect(messagesOf(['a', 'b'])).toBeUndefined();
});

it('shows any value in a line', () => {
  expect(lineOf('a\n  b')).toBe('a b');
  expect(lineOf({ a: 1 })).toBe('{"a":1}');
  expect(lineOf(undefined)).toBe('');
});

it('keeps text text and JSON JSON while it is edited', () => {
  expect(draftOf('007')).toBe('007');
  expect(valueOf('007', '7')).toEqual({ value: '007' });
  expect(valueOf('42', undefined)).toEqual({ value: '42' });
  expect(valueOf('["a"]', undefined)).toEqual({ value: ['a'] });
  expect(valueOf('[not json', 'x')).toEqual({ value: '[not json' });
  expect(valueOf(draftOf([1, { a: 2 }]), [1])).toEqual({ value: [1, { a: 2 }] });
  expect(valueOf('{', { a: 1 }).problem).toContain('Not JSON');
  expect(valueOf('  ', { a: 1 })).toEqual({});
});

it('guesses what a file holds', () => {
  expect(formatOf('gold.CSV', '')).toBe('csv');
  expect(formatOf('gold.jsonl', '')).toBe('jsonl');
  expect(formatOf('gold', ' {"a": 1}')).toBe('jsonl');
  expect(columnsOf('csv', '\ufeffid,"the, question",x\r\n1,2,3')).toEqual(['id', 'the, question', 'x']);
  expect(columnsOf('jsonl', '{"input":"a","n":1}\n{')).toEqual(['input', 'n']);
  expect(columnsOf('jsonl', 'no')).toEqual([]);
});

it('finds the names of other tools, and gives none twice', () => {
  const renames = guessRenames(['question', 'Query', 'expected_output', 'output', 'answer', 'topic']);
  expect(renames).toEqual({ question: 'input', expected_output: 'reference' });
  expect(renameParam({ ...renames, topic: '', output: 'output' })).toBe(
    'question:input,expected_output:reference',
  );
});

it('lists the largest split first, and what is in none last', () => {
  const version = { splits: { test: 2, '': 90, train: 8 } };
  expect(splitsOf(version as never)).toEqual([
    ['train', 8],
    ['test', 2],
    ['', 90],
  ]);
});

it('marks the words that differ', () => {
  const words = changedWords('Within five days.', 'Within ten working days.');
  expect(
    words
      .filter((word) => word.kind !== 'added')
      .map((word) => word.text)
      .join(''),
  ).toBe('Within five days.');
  expect(
    words
      .filter((word) => word.kind !== 'removed')
      .map((word) => word.text)
      .join(''),
  ).toBe('Within ten working days.');
  expect(words.filter((word) => word.kind === 'removed').map((word) => word.text)).toEqual(['five']);
  expect(changedWords('a', 'a')).toEqual([{ kind: 'same', text: 'a' }]);
  expect(changedWords('', 'b')).toEqual([
    { kind: 'removed', text: '' },
    { kind: 'added', text: 'b' },
  ]);
});
