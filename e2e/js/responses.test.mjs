// OpenAI's JavaScript SDK: the Responses API and the endpoints without a conversation.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import OpenAI, { toFile } from 'openai';

import { KEY, startSignalbox } from './harness.mjs';

let box;
before(async () => (box = await startSignalbox()));
after(() => box.stop());

const openai = () => new OpenAI({ baseURL: `${box.url}/v1`, apiKey: KEY, maxRetries: 0 });
const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] };
const tools = [{ type: 'function', name: 'get_weather', parameters: schema, strict: false }];

for (const model of ['sim/small', 'up-openai/small', 'up-anthropic/small', 'up-gemini/small']) {
  test(`a whole answer of ${model}`, async () => {
    const answer = await openai().responses.create({ model, instructions: 'Be brief.', input: 'Why is the sky blue?' });
    assert.equal(answer.status, 'completed');
    assert.ok(answer.output_text);
    assert.equal(answer.usage.total_tokens, answer.usage.input_tokens + answer.usage.output_tokens);
  });

  test(`a stream of ${model}`, async () => {
    const stream = openai().responses.stream({ model, input: 'Why is the sky blue?' });
    let text = '';
    for await (const event of stream) {
      if (event.type === 'response.output_text.delta') text += event.delta;
    }
    const final = await stream.finalResponse();
    assert.ok(text);
    assert.equal(final.output_text, text);
    assert.ok(final.usage.output_tokens > 0);
  });

  test(`a tool and its result with ${model}`, async () => {
    const question = { role: 'user', content: 'What is the weather in Oslo?' };
    const first = await openai().responses.create({ model, input: [question], tools });
    const call = first.output.find((item) => item.type === 'function_call');
    assert.equal(call.name, 'get_weather');
    assert.equal(typeof JSON.parse(call.arguments).city, 'string');
    const result = { type: 'function_call_output', call_id: call.call_id, output: '4 °C, snow' };
    const second = await openai().responses.create({ model, input: [question, ...first.output, result], tools });
    assert.ok(second.output_text);
  });

  test(`a text completed by ${model}`, async () => {
    const answer = await openai().completions.create({ model, prompt: 'Signals are', max_tokens: 40 });
    assert.ok(answer.choices[0].text);
    assert.ok(answer.usage.total_tokens > 0);
  });

  test(`a broken stream of ${model} is an error`, async () => {
    const headers = { 'x-sim-cut-after': '3' };
    const stream = await openai().responses.create({ model, input: 'Hi', stream: true }, { headers });
    await assert.rejects(async () => {
      for await (const event of stream) assert.ok(event.type);
    }, OpenAI.APIError);
  });
}

test('an answer in a shape', async () => {
  const format = { type: 'json_schema', name: 'place', schema, strict: false };
  const answer = await openai().responses.parse({ model: 'up-openai/small', input: 'Where?', text: { format } });
  assert.equal(typeof JSON.parse(answer.output_text).city, 'string');
});

test('moderations, pictures and speech', async () => {
  const model = 'up-openai/small';
  const judged = await openai().moderations.create({ model, input: ['hello', 'I kill you'] });
  assert.deepEqual(
    judged.results.map((result) => result.flagged),
    [false, true],
  );
  const drawn = await openai().images.generate({ model, prompt: 'A signal box' });
  assert.equal(Buffer.from(drawn.data[0].b64_json, 'base64').subarray(1, 4).toString(), 'PNG');
  const spoken = await openai().audio.speech.create({ model, voice: 'alloy', input: 'Mind the gap' });
  const sound = Buffer.from(await spoken.arrayBuffer());
  assert.equal(sound.subarray(0, 4).toString(), 'RIFF');
  const heard = await openai().audio.transcriptions.create({ model, file: await toFile(sound, 'gap.wav') });
  assert.match(heard.text, /^Someone speaks for \d+ bytes\.$/);
});

test('tokens of a message are counted', async () => {
  const anthropic = new Anthropic({ baseURL: box.url, apiKey: KEY, maxRetries: 0 });
  const messages = [{ role: 'user', content: 'Why is the sky blue?' }];
  const counted = await anthropic.messages.countTokens({ model: 'up-anthropic/small', messages });
  assert.ok(counted.input_tokens > 5);
  await assert.rejects(
    anthropic.messages.countTokens({ model: 'up-gemini/small', messages }),
    Anthropic.BadRequestError,
  );
});
