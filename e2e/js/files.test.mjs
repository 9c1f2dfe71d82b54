// OpenAI's JavaScript SDK: files, batches, and a provider by its name.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import OpenAI, { toFile } from 'openai';

import { KEY, startSignalbox } from './harness.mjs';

let box;
before(async () => (box = await startSignalbox()));
after(() => box.stop());

const client = (path = '/v1') => new OpenAI({ baseURL: `${box.url}${path}`, apiKey: KEY, maxRetries: 0 });

test('a batch goes all its way', async () => {
  const body = { model: 'small', messages: [{ role: 'user', content: 'Hi' }] };
  const line = { custom_id: 'first', method: 'POST', url: '/v1/chat/completions', body };
  const content = `${JSON.stringify(line)}\n`;
  const file = await client().files.create({ file: await toFile(Buffer.from(content), 'in.jsonl'), purpose: 'batch' });
  assert.equal(file.bytes, content.length);
  const made = await client().batches.create({
    input_file_id: file.id,
    endpoint: '/v1/chat/completions',
    completion_window: '24h',
  });
  const batch = await client().batches.retrieve(made.id);
  assert.equal(batch.status, 'completed');
  const answers = await (await client().files.content(batch.output_file_id)).text();
  assert.equal(JSON.parse(answers).custom_id, 'first');
  const ids = [];
  for await (const one of client().files.list({ limit: 1 })) ids.push(one.id);
  assert.ok(ids.includes(file.id));
  assert.equal((await client().files.delete(file.id)).deleted, true);
  await assert.rejects(client().files.retrieve(file.id), OpenAI.NotFoundError);
});

test('a provider by its name', async () => {
  const sdk = client('/providers/up-openai/v1');
  const answer = await sdk.chat.completions.create({ model: 'small', messages: [{ role: 'user', content: 'Hi' }] });
  assert.ok(answer.choices[0].message.content);
  const told = await sdk.post('/sim/echo/anything', { body: { say: 'hello' } });
  assert.deepEqual([told.method, told.path], ['POST', '/v1/sim/echo/anything']);
  await assert.rejects(client('/providers/nobody/v1').models.list(), OpenAI.NotFoundError);
});
