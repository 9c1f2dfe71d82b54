// The official JavaScript SDKs, unchanged but for base URL and key.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';

import { KEY, startSignalbox } from './harness.mjs';

let box;
before(async () => (box = await startSignalbox()));
after(() => box.stop());

const openai = () => new OpenAI({ baseURL: `${box.url}/v1`, apiKey: KEY, maxRetries: 0 });
const anthropic = () => new Anthropic({ baseURL: box.url, apiKey: KEY, maxRetries: 0 });
const messages = [{ role: 'user', content: 'Why is the sky blue?' }];
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };

for (const model of ['sim/small', 'up-openai/small', 'up-anthropic/small', 'up-gemini/small']) {
  test(`openai: chat with ${model}`, async () => {
    const answer = await openai().chat.completions.create({ model, messages });
    assert.ok(answer.choices[0].message.content);
    assert.equal(answer.choices[0].finish_reason, 'stop');
    assert.ok(answer.usage.total_tokens > 0);
  });

  test(`openai: stream with ${model}`, async () => {
    const stream = await openai().chat.completions.create({
      model,
      messages,
      stream: true,
      stream_options: { include_usage: true },
    });
    let text = '';
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta?.content ?? '';
      usage = chunk.usage ?? usage;
    }
    assert.ok(text);
    assert.ok(usage.completion_tokens > 0);
  });

  test(`openai: tools with ${model}`, async () => {
    const tools = [{ type: 'function', function: { name: 'get_weather', parameters: city } }];
    const answer = await openai().chat.completions.create({ model, messages, tools });
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(call.function.name, 'get_weather');
    assert.equal(typeof JSON.parse(call.function.arguments).city, 'string');
  });

  test(`anthropic: message with ${model}`, async () => {
    const answer = await anthropic().messages.create({ model, max_tokens: 200, messages });
    assert.equal(answer.stop_reason, 'end_turn');
    assert.ok(answer.content.some((block) => block.type === 'text' && block.text));
  });

  test(`anthropic: stream and tools with ${model}`, async () => {
    const tools = [{ name: 'get_weather', input_schema: city }];
    const final = await anthropic().messages.stream({ model, max_tokens: 200, messages, tools }).finalMessage();
    assert.equal(final.stop_reason, 'tool_use');
    const use = final.content.find((block) => block.type === 'tool_use');
    assert.equal(typeof use.input.city, 'string');
  });

  test(`errors are the right exceptions with ${model}`, async () => {
    const headers = { 'x-sim-status': '429' };
    await assert.rejects(openai().chat.completions.create({ model, messages }, { headers }), OpenAI.RateLimitError);
    await assert.rejects(
      anthropic().messages.create({ model, max_tokens: 9, messages }, { headers }),
      Anthropic.RateLimitError,
    );
  });
}

test('a wrong key is an authentication error', async () => {
  const wrong = new OpenAI({ baseURL: `${box.url}/v1`, apiKey: 'sb-wrong-key', maxRetries: 0 });
  await assert.rejects(wrong.chat.completions.create({ model: 'sim/small', messages }), OpenAI.AuthenticationError);
});

test('embeddings and models', async () => {
  const answer = await openai().embeddings.create({ model: 'sim/embed', input: 'hello' });
  assert.ok(answer.data[0].embedding.length > 8);
  const names = [];
  for await (const model of openai().models.list()) names.push(model.id);
  assert.ok(names.includes('sim/small'));
});
