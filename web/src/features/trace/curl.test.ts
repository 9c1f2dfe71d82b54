import { expect, it } from 'vitest';

import type { SpanDetail } from '@/api/types';

import { canCopyAsCurl, curlOf, quote } from './curl';

const span: SpanDetail = {
  project_id: 'default',
  counted: true,
  normaliser_version: 1,
  trace_id: 't',
  span_id: 's',
  start_time: '',
  end_time: '',
  duration_ms: 1,
  name: 'chat sim/small',
  kind: 'llm',
  source: 'gateway',
  status: 'ok',
  model: 'small',
  model_requested: 'sim/small',
  streaming: true,
  model_parameters: { temperature: 0.2, 'gen_ai.request.unknown': 1 },
  tools: [{ name: 'search', description: 'Finds', parameters: { type: 'object' } }],
  input_messages: [
    { role: 'system', parts: [{ type: 'text', content: "Don't guess." }] },
    {
      role: 'user',
      parts: [
        { type: 'text', content: 'Look' },
        { type: 'uri', modality: 'image', uri: 'https://x/y.png' },
      ],
    },
    {
      role: 'assistant',
      parts: [
        { type: 'reasoning', content: 'hm' },
        { type: 'tool_call', id: 'c1', name: 'search', arguments: { q: 'x' } },
      ],
    },
    { role: 'tool', parts: [{ type: 'tool_call_response', id: 'c1', response: { hits: 2 } }] },
  ],
};

function bodyOf(curl: string): unknown {
  const text = /-d '([\s\S]*)'$/.exec(curl)?.[1] ?? '';
  return JSON.parse(text.replaceAll(`'\\''`, "'"));
}

it('rebuilds the request', () => {
  const curl = curlOf(span, 'http://localhost:7300');
  expect(curl).toContain('curl http://localhost:7300/v1/chat/completions');
  expect(curl).toContain('"Authorization: Bearer $SIGNALBOX_KEY"');
  expect(bodyOf(curl)).toEqual({
    model: 'sim/small',
    messages: [
      { role: 'system', content: "Don't guess." },
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Look' },
          { type: 'image_url', image_url: { url: 'https://x/y.png' } },
        ],
      },
      {
        role: 'assistant',
        content: null,
        tool_calls: [{ id: 'c1', type: 'function', function: { name: 'search', arguments: '{"q":"x"}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: '{\n  "hits": 2\n}' },
    ],
    temperature: 0.2,
    tools: [
      {
        type: 'function',
        function: { name: 'search', description: 'Finds', parameters: { type: 'object' } },
      },
    ],
    stream: true,
  });
});

it('rebuilds embeddings', () => {
  const curl = curlOf(
    { ...span, kind: 'embedding', input: ['a'], tools: undefined, streaming: false, model_parameters: {} },
    'http://h',
  );
  expect(curl).toContain('http://h/v1/embeddings');
  expect(bodyOf(curl)).toEqual({ model: 'sim/small', input: ['a'] });
});

it('quotes for a shell, and only offers what the gateway carried', () => {
  expect(quote("it's")).toBe(`'it'\\''s'`);
  expect(canCopyAsCurl(span)).toBe(true);
  expect(canCopyAsCurl({ ...span, source: 'otlp' })).toBe(false);
  expect(canCopyAsCurl({ ...span, kind: 'tool' })).toBe(false);
});
