import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { describe, expect, it } from 'vitest';

import type { Message, SpanDetail } from '@/api/types';

import { Messages } from './messages';
import { knownOf, knownTurns, pairTools } from './pair';

const said = (role: Message['role'], content: string): Message => ({
  role,
  parts: [{ type: 'text', content }],
});
const call: Message = {
  role: 'assistant',
  parts: [{ type: 'tool_call', id: 'a', name: 'find_train', arguments: {} }],
};
const result: Message = {
  role: 'tool',
  parts: [{ type: 'tool_call_response', id: 'a', response: '7:15 from Linz' }],
};
const input = [said('system', 'Be brief.'), said('user', 'Find me a train'), call, result];
const output = [said('assistant', 'Take the 7:15.')];

const shown = (known: number | undefined, messages = input): string =>
  renderToStaticMarkup(createElement(Messages, { input: messages, output, known, plain: true }));

describe('what earlier calls had said', () => {
  it('is folded, and what is new is not', () => {
    const html = shown(2);
    expect(html).toContain('aria-expanded="false"');
    expect(html).toContain('2 earlier messages');
    expect(html).not.toContain('Be brief.');
    expect(html).not.toContain('Find me a train');
    expect(html).toContain('Take the 7:15.');
  });

  it('leaves a call in sight whose result is new', () => {
    const html = shown(3);
    expect(html).toContain('2 earlier messages');
    expect(html).toContain('find_train');
    expect(html).toContain('7:15 from Linz');
    expect(shown(4)).toContain('4 earlier messages');
    expect(shown(4)).not.toContain('find_train');
  });

  it('is shown where nothing says that it was said', () => {
    for (const known of [undefined, 0]) {
      expect(shown(known)).not.toContain('earlier');
      expect(shown(known)).toContain('Be brief.');
    }
    expect(shown(1)).toContain('1 earlier message<');
  });

  it('can be all of the input', () => {
    const turns = pairTools(input);
    expect(knownTurns(turns, input.length)).toBe(turns.length);
    expect(shown(4)).toContain('Take the 7:15.');
  });
});

it('knows nothing of spans that do not say, and no more than there is', () => {
  const span = (input_messages_known?: unknown) =>
    ({ input_messages: input, input_messages_known }) as unknown as SpanDetail;
  expect(knownOf(span())).toBe(0);
  expect(knownOf(span(null))).toBe(0);
  expect(knownOf(span(3))).toBe(3);
  expect(knownOf(span(9))).toBe(4);
});
