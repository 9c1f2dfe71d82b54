// The official Google SDK for JavaScript, unchanged but for base URL and key.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { ApiError, FinishReason, GoogleGenAI, Type } from '@google/genai';

import { KEY, startSignalbox } from './harness.mjs';

let box;
before(async () => (box = await startSignalbox()));
after(() => box.stop());

const google = (headers = {}) =>
  new GoogleGenAI({ apiKey: KEY, httpOptions: { baseUrl: box.url, headers, retryOptions: { attempts: 1 } } });
const ask = 'Why is the sky blue?';
const weather = {
  name: 'get_weather',
  parameters: { type: Type.OBJECT, properties: { city: { type: Type.STRING } }, required: ['city'] },
};

for (const model of ['sim/small', 'up-openai/small', 'up-anthropic/small', 'up-gemini/small']) {
  test(`google: generate with ${model}`, async () => {
    const answer = await google().models.generateContent({ model, contents: ask });
    assert.ok(answer.text);
    assert.equal(answer.candidates[0].finishReason, FinishReason.STOP);
    assert.ok(answer.usageMetadata.promptTokenCount > 0);
  });

  test(`google: stream with ${model}`, async () => {
    let text = '';
    let last;
    for await (const chunk of await google().models.generateContentStream({ model, contents: ask })) {
      text += chunk.text ?? '';
      last = chunk;
    }
    assert.ok(text);
    assert.equal(last.candidates[0].finishReason, FinishReason.STOP);
    assert.ok(last.usageMetadata.candidatesTokenCount > 0);
  });

  test(`google: tools with ${model}`, async () => {
    const config = { tools: [{ functionDeclarations: [weather] }] };
    const contents = [{ role: 'user', parts: [{ text: 'What is the weather in Oslo?' }] }];
    const first = await google().models.generateContent({ model, contents, config });
    const [call] = first.functionCalls;
    assert.equal(call.name, 'get_weather');
    assert.equal(typeof call.args.city, 'string');
    const response = { id: call.id, name: call.name, response: { output: 'snow' } };
    contents.push(first.candidates[0].content, { role: 'user', parts: [{ functionResponse: response }] });
    const second = await google().models.generateContent({ model, contents, config });
    assert.match(second.text, /snow/);
  });

  test(`google: a chat of two turns with ${model}`, async () => {
    const chat = google().chats.create({ model });
    for await (const chunk of await chat.sendMessageStream({ message: ask })) assert.ok(chunk.candidates);
    assert.ok((await chat.sendMessage({ message: 'And grass?' })).text);
    assert.equal(chat.getHistory(true).filter((content) => content.role === 'user').length, 2);
  });

  test(`google: errors with ${model}`, async () => {
    const refused = google({ 'x-sim-status': '429' }).models.generateContent({ model, contents: ask });
    await assert.rejects(refused, (error) => error instanceof ApiError && error.status === 429);
    const broken = await google({ 'x-sim-cut-after': '2' }).models.generateContentStream({ model, contents: ask });
    await assert.rejects(async () => {
      for await (const chunk of broken) assert.ok(chunk);
    }, ApiError);
  });
}

test('google: embeddings, tokens and models', async () => {
  for (const model of ['sim/embed', 'up-gemini/embed']) {
    const answer = await google().models.embedContent({ model, contents: ['one', 'two'] });
    assert.deepEqual(
      answer.embeddings.map((embedding) => embedding.values.length),
      [256, 256],
    );
  }
  const counted = await google().models.countTokens({ model: 'up-gemini/small', contents: ask });
  assert.ok(counted.totalTokens > 5);
  const names = [];
  for await (const model of await google().models.list()) names.push(model.name);
  assert.ok(names.includes('models/sim/small'));
});
