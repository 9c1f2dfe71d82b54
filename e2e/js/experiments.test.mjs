// What a person does to find out whether a change made answers better: tries a metric, opens an experiment, pins a
// baseline, compares runs, looks at what became worse. Screenshots land in e2e/out.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { openBrowser, shootBoth } from './browser.mjs';
import { KEY, startSignalbox } from './harness.mjs';

const words = ['The parcel', 'The refund', 'The invoice', 'The ticket', 'The delivery'];
let box;
let browser;
let page;
let problems;

before(async () => {
  box = await startSignalbox();
  ({ browser, page, problems } = await openBrowser());
  await page.goto(`${box.url}/`);
  await page.getByLabel('Virtual key').fill(KEY);
  await page.keyboard.press('Enter');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

after(async () => {
  await browser?.close();
  await box?.stop();
});

async function ask(method, path, body) {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const answer = await fetch(box.url + path, { method, headers, body: body && JSON.stringify(body) });
  assert.ok(answer.ok, `${method} ${path}: ${answer.status}`);
  return answer.json();
}

const shoot = (name) => shootBoth(page, name);

/** A run whose answers are better by `shift` in English and worse in German. */
async function run(name, shift, commit) {
  const metrics = [{ name: 'faithfulness', threshold: 0.5 }, { name: 'toxicity', direction: 'lower' }, { name: 'answered' }];
  const begun = { experiment: 'support answers', name, dataset: 'gold@3', target: 'route chat', metrics, commit, tags: ['ci'] };
  const { id } = await ask('POST', '/api/v1/runs', begun);
  const items = Array.from({ length: 90 }, (_, at) => {
    const german = at % 3 === 0;
    const quality = Math.max(0, Math.min(1, 0.6 + Math.sin(at) * 0.2 + (german ? -shift : shift)));
    const thing = words[at % words.length];
    return {
      item_id: `q-${String(at).padStart(3, '0')}`,
      input: `${german ? 'Wo ist' : 'Where is'} ${thing.toLowerCase()} number ${4000 + at}?`,
      expected: `${thing} is in Linz.`,
      output: `${thing} number ${4000 + at} is in ${shift > 0 ? 'Linz and leaves tomorrow' : 'the depot of Linz'}.`,
      latency_ms: 400 + ((at * 37) % 300) + shift * 400,
      cost: 0.0004 + shift * 0.0003,
      input_tokens: 220,
      output_tokens: 30,
      trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
      segments: { language: german ? 'German' : 'English', topic: thing.split(' ')[1] },
      scores: {
        faithfulness: { value: quality, passed: quality >= 0.5, reason: `${Math.round(quality * 10)} of 10 statements are in the context` },
        toxicity: { value: 0.02 + (at % 5) * 0.004 },
        answered: { passed: at % 17 !== 0 || shift > 0 },
      },
    };
  });
  await ask('POST', `/api/v1/runs/${id}/items`, { items });
  await ask('POST', `/api/v1/runs/${id}/finish`, {});
  return id;
}

test('a metric is found, tried and taken along', async () => {
  await page.keyboard.press('g');
  await page.keyboard.press('m');
  await page.waitForURL(/\/metrics-catalogue/);
  await page.getByRole('heading', { name: 'bleu' }).waitFor();
  await page.keyboard.press('/');
  await page.getByLabel('Search metrics').fill('numbers context');
  await page.getByRole('button', { name: /numeric_consistency/ }).click();
  await page.getByRole('heading', { name: 'numeric_consistency' }).waitFor();
  const result = page.getByRole('status').filter({ hasText: 'fails' });
  await result.waitFor();
  await page.locator('mark', { hasText: '15' }).waitFor();
  await page.getByRole('textbox', { name: 'output' }).fill('It opened in 2014 and has 12 shops.');
  await page.getByRole('status').filter({ hasText: 'passes' }).waitFor();
  await page.getByText('signalbox eval metric numeric_consistency').waitFor();
  await page.getByRole('button', { name: 'The example' }).click();
  await result.waitFor();
  await shoot('metrics');
});

test('every metric measures its example', async () => {
  const { metrics } = await ask('GET', '/api/v1/metrics');
  for (const metric of metrics) {
    const told = await ask('POST', '/api/v1/evaluate', { metrics: [metric.name], cases: [metric.example] });
    assert.equal(told.results[0].scores[0].error, undefined, metric.name);
  }
});

test('without an experiment the page says how to make one', async () => {
  await page.keyboard.press('Escape');
  await page.goto(`${box.url}/experiments`);
  await page.getByText('No experiments yet').waitFor();
  await page.getByText('signalbox eval push').waitFor();
  await shoot('experiments-empty');
});

test('runs are listed, ticked with the keyboard and compared', async () => {
  await run('prompt v5', -0.05, 'aaaaaaaa01');
  const base = await run('prompt v6', 0, 'bbbbbbbb02');
  await run('prompt v7', 0.15, 'cccccccc03');
  await page.reload();
  await page.getByRole('link', { name: 'support answers' }).waitFor();
  await shoot('experiments');
  await page.getByRole('link', { name: 'support answers' }).click();
  // The list names the last run, too.
  await page.getByRole('heading', { name: 'support answers' }).waitFor();
  await page.getByRole('row').filter({ hasText: 'prompt v7' }).waitFor();
  // The second row is the run before.
  for (const key of ['j', 'j', 'b']) await page.keyboard.press(key);
  await page.getByRole('row').filter({ hasText: 'prompt v6' }).getByText('baseline').waitFor();
  const { baseline } = await ask('GET', '/api/v1/experiments/support%20answers');
  assert.equal(baseline, base);
  for (const key of ['x', 'k', 'x']) await page.keyboard.press(key);
  await page.getByRole('button', { name: 'Compare 2 runs' }).waitFor();
  await shoot('experiment');
  await page.keyboard.press('c');
  await page.waitForURL(/\/compare\?/);
  await page.getByRole('heading', { name: 'In sum' }).waitFor();
  await page.getByText('better', { exact: true }).first().waitFor();
  await page.getByRole('img', { name: /60 better, 0 the same, 30 worse/ }).first().waitFor();
  await page.getByRole('button', { name: 'German' }).waitFor();
  await shoot('compare');
});

test('what became worse is looked at item by item', async () => {
  await page.keyboard.press('w');
  await page.waitForURL(/show=worse/);
  const items = page.getByRole('navigation', { name: 'Items' });
  await items.getByRole('button').nth(29).waitFor();
  await items.getByRole('button').nth(30).waitFor({ state: 'detached' });
  assert.equal(await items.getByRole('button').count(), 30);
  await page.keyboard.press('j');
  await page.waitForURL(/item=q-/);
  await page.locator('ins', { hasText: 'tomorrow' }).first().waitFor();
  await page.getByRole('article', { name: 'prompt v7' }).scrollIntoViewIfNeeded();
  await shoot('compare-items');
  await page.keyboard.press('d');
  await page.locator('ins').first().waitFor({ state: 'detached' });
  await page.getByRole('button', { name: 'English' }).click();
  await page.getByText('No item is worse').waitFor();
  const link = page.getByRole('link', { name: 'Trace', exact: true });
  assert.equal(await link.count(), 0);
  await page.getByRole('radio', { name: /^All/ }).click();
  assert.match(await link.first().getAttribute('href'), /4bf92f3577b34da6a3ce929d0e0e4736/);
});

test('a run is deleted after asking', async () => {
  await page.getByRole('link', { name: 'support answers' }).click();
  const row = page.getByRole('row').filter({ hasText: 'prompt v5' });
  await row.hover();
  await row.getByRole('button', { name: 'Delete prompt v5' }).click();
  const dialog = page.getByRole('dialog', { name: /Delete the run prompt v5/ });
  await dialog.getByRole('button', { name: 'Delete' }).click();
  await row.waitFor({ state: 'detached' });
  assert.deepEqual(problems, []);
});
