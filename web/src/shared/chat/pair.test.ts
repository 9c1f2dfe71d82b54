import { describe, expect, it } from 'vitest';

import type { Message } from '@/api/types';

import { documentsOf, pairTools, parseJson } from './pair';

const call = (id: string): Message => ({
  role: 'assistant',
  parts: [{ type: 'tool_call', id, name: 'search', arguments: { q: id } }],
});
const result = (id: string): Message => ({
  role: 'tool',
  parts: [{ type: 'tool_call_response', id, response: `found ${id}` }],
});

describe('tool calls', () => {
  it('carry their results, and empty tool messages go', () => {
    const turns = pairTools([
      call('a'),
      result('a'),
      { role: 'assistant', parts: [{ type: 'text', content: 'done' }] },
    ]);
    expect(turns.map((turn) => turn.message.role)).toEqual(['assistant', 'assistant']);
    expect(turns[0]?.parts[0]).toMatchObject({ kind: 'call', result: { response: 'found a' } });
  });

  it('leave a result without a call where it is', () => {
    expect(pairTools([result('lost')])).toHaveLength(1);
    expect(pairTools([call('a'), result('a'), result('a')])).toHaveLength(2);
  });

  it('of one id in two turns pair each with its own', () => {
    const turns = pairTools([call('a'), result('a'), call('a'), result('a')]);
    expect(turns).toHaveLength(2);
    expect(turns.every((turn) => turn.parts[0]?.kind === 'call' && turn.parts[0].result !== undefined)).toBe(
      true,
    );
  });

  it('do not change the messages', () => {
    const messages = [call('a'), result('a')];
    const before = JSON.stringify(messages);
    pairTools(messages);
    expect(JSON.stringify(messages)).toBe(before);
  });
});

it('finds documents in the shapes that frameworks use', () => {
  expect(documentsOf([{ content: 'a', score: 0.5 }])).toMatchObject([{ text: 'a', score: 0.5 }]);
  expect(documentsOf('[{"page_content":"a","metadata":{"p":1}}]')).toMatchObject([
    { text: 'a', metadata: { p: 1 } },
  ]);
  expect(documentsOf({ documents: [{ document: { id: 'd', content: 'a' }, score: 1 }] })).toMatchObject([
    { id: 'd', text: 'a', score: 1 },
  ]);
  expect(documentsOf([{ rank: 1 }])).toBeUndefined();
  expect(documentsOf('text')).toBeUndefined();
  expect(documentsOf([])).toBeUndefined();
});

it('reads JSON in text, and leaves text alone', () => {
  expect(parseJson('{"a":1}')).toEqual({ a: 1 });
  expect(parseJson('{a')).toBe('{a');
  expect(parseJson('42')).toBe('42');
});
