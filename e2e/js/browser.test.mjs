// What a person sees: Debian's Chromium signs in, watches a live trace arrive, opens it, walks every
// page in light and dark. Screenshots land in e2e/out.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import OpenAI from 'openai';
import { chromium } from 'playwright-core';

import { KEY, OUT, startSignalbox, waitUntil } from './harness.mjs';

const LEAK = 'AKIA' + 'QX3WTVBN5LKZJ7RM';
let box;
let browser;
let page;
const problems = [];
// Refusals that the browser may write down. A 401 before signing in is how the page learns that nobody is.
const refusals = new Set(['401']);

before(async () => {
  box = await startSignalbox();
  browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--headless', '--disable-gpu', '--disable-background-networking', '--no-first-run'],
  });
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: 'light' });
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
  page.on('pageerror', (error) => problems.push(`page: ${error.message}`));
  page.on('console', (message) => {
    const wanted = [...refusals].some((status) => message.text().includes(`status of ${status}`));
    if (message.type() === 'error' && !wanted) problems.push(`console: ${message.text()}`);
  });
});

after(async () => {
  await browser?.close();
  await box?.stop();
});

const openai = () => new OpenAI({ baseURL: `${box.url}/v1`, apiKey: KEY, maxRetries: 0 });

async function ask(method, path, body) {
  const headers = { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' };
  const answer = await fetch(box.url + path, { method, headers, body: body && JSON.stringify(body) });
  assert.equal(answer.status, 200, `${method} ${path}`);
  return answer.json();
}

async function shoot(name) {
  for (const scheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme: scheme });
    // Colours fade on a change of theme; the picture is taken of where they end.
    await page.screenshot({ path: join(OUT, `${name}-${scheme}.png`), animations: 'disabled' });
  }
  await page.emulateMedia({ colorScheme: 'light' });
}

test('signing in: a wrong key is explained, the right one opens the overview', async () => {
  await page.goto(`${box.url}/`);
  const key = page.getByLabel('Virtual key');
  await key.fill('sb-wrong-key');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByText('No such key').waitFor();
  await shoot('sign-in');
  await key.fill(KEY);
  await key.press('Enter');
  await page.waitForURL((url) => url.pathname === '/');
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
});

test('an empty trace list teaches the first call', async () => {
  await page.goto(`${box.url}/traces`);
  await page.getByText('No traces in this range yet').waitFor();
  await page.getByText(`${box.url}/v1`).first().waitFor();
  await shoot('traces-empty');
});

test('a live trace arrives by itself, and shows what was said', async () => {
  const answer = await openai().chat.completions.create(
    { model: 'up-openai/small', messages: [{ role: 'user', content: 'Where does the night train to Vienna stop?' }] },
    { headers: { 'x-sim-echo': encodeURIComponent(`It stops in Linz. The key is ${LEAK}.`) } },
  );
  assert.match(answer.choices[0].message.content, /REDACTED/);
  const row = page.getByRole('row').filter({ hasText: 'night train to Vienna' });
  await row.waitFor({ timeout: 10_000 });
  await row.dblclick();
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
  await page.getByText('Where does the night train to Vienna stop?').first().waitFor();
  await page.getByText('It stops in Linz.').first().waitFor();
  assert.equal(await page.getByText(LEAK).count(), 0, 'a redacted secret is on no page');
  await shoot('trace');
});

test('a trace of many spans is a tree, and spans have tokens, cost and JSON', async () => {
  const traceId = '4bf92f3577b34da6a3ce929d0e0e4736';
  const traceparent = `00-${traceId}-00f067aa0ba902b7-01`;
  const tools = [
    {
      type: 'function',
      function: { name: 'find_train', parameters: { type: 'object', properties: { to: { type: 'string' } }, required: ['to'] } },
    },
  ];
  for (const model of ['up-openai/small', 'up-anthropic/large']) {
    const messages = [{ role: 'user', content: 'Find me a train' }];
    await openai().chat.completions.create({ model, messages, tools }, { headers: { traceparent } });
  }
  const nanos = (ms) => `${Date.now() + ms}000000`;
  const root = { traceId, spanId: '00f067aa0ba902b7', name: 'plan the journey', startTimeUnixNano: nanos(-900), endTimeUnixNano: nanos(0) };
  const sent = await fetch(`${box.url}/v1/traces`, {
    method: 'POST',
    headers: { authorization: `Bearer ${KEY}`, 'content-type': 'application/json' },
    body: JSON.stringify({ resourceSpans: [{ scopeSpans: [{ spans: [root] }] }] }),
  });
  assert.equal(sent.status, 200);
  await page.goto(`${box.url}/traces/${traceId}`);
  await page.getByText('plan the journey').first().waitFor();
  const chat = page.getByText(/chat .*large/).first();
  await chat.click();
  await page.getByText('find_train').first().waitFor();
  await shoot('trace-tree');
  await page.getByRole('tab', { name: /Details/ }).click();
  await page.getByText(/input/i).first().waitFor();
  await shoot('trace-details');
  await page.getByRole('tab', { name: /Raw/ }).click();
  await page.getByText('input_messages').first().waitFor();
  await page.reload();
  await page.getByText('plan the journey').first().waitFor();
});

test('a search takes the start of a word, and says what else it takes', async () => {
  await page.goto(`${box.url}/traces?q=vien*`);
  await page.getByRole('row').filter({ hasText: 'night train' }).waitFor();
  assert.equal(await page.getByRole('row').filter({ hasText: 'plan the journey' }).count(), 0);
  await page.getByRole('button', { name: 'How to search' }).click();
  await page.getByRole('dialog', { name: 'How to search' }).getByText('words that begin so').waitFor();
  await shoot('traces-search-help');
  await page.keyboard.press('Escape');
});

test('keyboard: / searches, j and k move, enter opens, esc comes back', async () => {
  await page.goto(`${box.url}/traces`);
  await page.getByRole('row').filter({ hasText: 'night train' }).waitFor();
  await page.keyboard.press('/');
  await page.keyboard.type('vienna');
  await page.waitForURL(/q=vienna/);
  await page.getByRole('row').filter({ hasText: 'plan the journey' }).waitFor({ state: 'detached' });
  await page.getByRole('row').filter({ hasText: 'night train' }).waitFor();
  await shoot('traces');
  await page.keyboard.press('Escape');
  await page.keyboard.press('j');
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
  // The list shows the answer, too: only the trace's own page has tabs.
  await page.getByRole('tab', { name: /Messages/ }).waitFor();
  await page.keyboard.press('Escape');
  await page.waitForURL(/\/traces(\?|$)/);
});

test('the overview counts what happened', async () => {
  await page.goto(`${box.url}/`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.getByText('Requests').first().waitFor();
  await page.getByText('up-openai/small').or(page.getByText('small')).first().waitFor();
  await page.locator('canvas, svg').first().waitFor();
  await shoot('overview');
});

test('SQL, providers and keys', async () => {
  await page.goto(`${box.url}/query`);
  await page.getByRole('heading', { name: /Query/ }).waitFor();
  await shoot('query');
  await page.goto(`${box.url}/providers`);
  await page.getByText('OPENAI_API_KEY').first().waitFor();
  await shoot('providers');
  await page.goto(`${box.url}/keys`);
  await page.getByRole('heading', { name: /Keys/ }).waitFor();
  await shoot('keys');
});

test('a text is tried on the page Guardrails, and the findings lead to their traces', async () => {
  const content = `Keep ${LEAK} for me.`;
  await openai().chat.completions.create({ model: 'sim/small', messages: [{ role: 'user', content }] });
  await page.goto(`${box.url}/guardrails`);
  await page.getByRole('heading', { name: 'Policies in force' }).waitFor();
  await page.getByLabel('Text to try').fill(`é The key is ${LEAK}.`);
  await page.locator('mark', { hasText: LEAK }).waitFor();
  assert.equal(await page.locator('mark').first().textContent(), LEAK);
  await page.getByLabel('Place').selectOption('output');
  await page.getByLabel('Asked').selectOption('policies');
  await page.getByText('[REDACTED:aws_access_key]').waitFor();
  await page.getByText('secrets.aws_access_key').first().waitFor();
  await shoot('guardrails');
  await page.locator('a[href^="/traces/"]').first().click();
  await page.waitForURL(/\/traces\/[0-9a-f]{32}/);
});

test('a dataset: a CSV is dropped, an item is mended, and the change is seen', async () => {
  await page.goto(`${box.url}/`);
  await page.getByRole('heading', { name: 'Overview' }).waitFor();
  await page.keyboard.press('g');
  await page.keyboard.press('s');
  await page.waitForURL(/\/datasets$/);
  await page.getByText('No datasets yet').waitFor();
  await shoot('datasets-empty');
  await page.keyboard.press('i');
  const dialog = page.getByRole('dialog', { name: 'Import a file' });
  await dialog.getByLabel('File').setInputFiles({
    name: 'trains.csv',
    mimeType: 'text/csv',
    buffer: Buffer.from('key,question,expected,split\n1,"Where, and when?",In Linz,test\n2,How long?,Two hours,train\n'),
  });
  await dialog.getByLabel('What question is called').waitFor();
  assert.equal(await dialog.getByLabel('What expected is called').inputValue(), 'reference');
  await shoot('datasets-import');
  await dialog.getByRole('button', { name: 'Import', exact: true }).click();
  await dialog.getByRole('button', { name: 'Look at it' }).click();
  await page.waitForURL(/\/datasets\/trains/);
  await page.getByRole('row').filter({ hasText: 'Where, and when?' }).click();
  const item = page.getByRole('complementary', { name: 'Item 1' });
  await item.getByText('In Linz').waitFor();
  await shoot('dataset-item');
  await item.getByRole('button', { name: 'Edit' }).click();
  await item.getByLabel('Reference: the right answer').fill('In Linz at noon');
  await shoot('dataset-edit');
  await item.getByRole('button', { name: 'Save as a new version' }).click();
  await item.getByText('In Linz at noon').waitFor();
  await page.getByRole('link', { name: 'Versions' }).click();
  await page.getByText('Import trains.csv').waitFor();
  await shoot('dataset-versions');
  await page.getByRole('link', { name: 'Compare' }).click();
  const changed = page.getByRole('article', { name: 'changed 1' });
  await changed.getByText('at noon').waitFor();
  await shoot('dataset-diff');
  await page.goto(`${box.url}/datasets`);
  await page.getByRole('row').filter({ hasText: 'trains' }).waitFor();
  await shoot('datasets');
});

test('a span is added to a dataset and scored by hand', async () => {
  await page.goto(`${box.url}/traces?q=vienna`);
  await page.getByRole('row').filter({ hasText: 'night train' }).dblclick();
  await page.getByRole('tab', { name: /Messages/ }).waitFor();
  await page.keyboard.press('a');
  const adding = page.getByRole('dialog', { name: 'Add to dataset' });
  const reference = adding.getByLabel('Reference: the right answer');
  await reference.waitFor();
  await reference.fill('It stops in Linz.');
  await shoot('trace-add-to-dataset');
  await adding.getByRole('button', { name: 'Add to dataset' }).click();
  await adding.getByText('which has 3 items now').waitFor();
  await adding.getByRole('button', { name: 'Done' }).click();

  await page.keyboard.press('s');
  const score = page.getByRole('dialog', { name: 'Score' });
  await score.getByRole('radio', { name: 'Bad' }).click();
  await score.getByLabel('Why').fill('It leaves out the platform.');
  await shoot('trace-score');
  await score.getByRole('button', { name: 'Save the score' }).click();
  await score.waitFor({ state: 'detached' });
  await page.getByRole('tab', { name: /Details/ }).click();
  await page.getByText('It leaves out the platform.').waitFor();
  await page.getByRole('button', { name: 'Withdraw' }).click();
  await page.getByText('It leaves out the platform.').waitFor({ state: 'detached' });
});

test('a query that never ends is cancelled from its page', async () => {
  await page.goto(`${box.url}/query`);
  await page.getByLabel('SQL').fill('SELECT count(*) FROM generate_series(1, 100000000000000) WHERE value % 7 = 3');
  await page.getByRole('button', { name: 'Run' }).click();
  const running = () => ask('GET', '/api/v1/queries').then((answer) => answer.queries);
  await waitUntil('the query to run', async () => (await running()).length > 0);
  refusals.add('499');
  await page.getByRole('button', { name: 'Cancel' }).click();
  await page.getByText(/Cancelled after/).waitFor();
  assert.deepEqual(await running(), []);
});

test('a session is erased on the page Data, and its trace is gone', async () => {
  const traceId = 'c0ffee0000000000000000000000cafe';
  const session = 'forget-me-42';
  const nanos = (ms) => `${Date.now() + ms}000000`;
  const text = (key, stringValue) => ({ key, value: { stringValue } });
  const span = {
    traceId,
    spanId: 'c0ffee000000cafe',
    name: 'a talk to be forgotten',
    startTimeUnixNano: nanos(-400),
    endTimeUnixNano: nanos(0),
    attributes: [text('gen_ai.conversation.id', session), text('user.id', 'user-4711')],
  };
  await ask('POST', '/v1/traces', { resourceSpans: [{ scopeSpans: [{ spans: [span] }] }] });
  await page.goto(`${box.url}/traces/${traceId}`);
  await page.getByText('a talk to be forgotten').first().waitFor();

  await page.keyboard.press('g');
  await page.keyboard.press('d');
  await page.waitForURL(/\/data$/);
  await page.getByText('Nothing was erased yet').waitFor();
  await page.getByLabel('Kind').selectOption({ label: 'Session' });
  const id = page.getByLabel('Id of the session');
  await id.press('Enter');
  await page.getByText('Expected the id of a session.').waitFor();
  await id.fill(session);
  await id.press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Erase this session for good?' });
  await dialog.getByText('1 span', { exact: true }).waitFor();
  await dialog.getByText(session).waitFor();
  await shoot('data-erase');
  await dialog.getByRole('button', { name: 'Keep it' }).click();
  await dialog.waitFor({ state: 'detached' });
  assert.deepEqual((await ask('GET', '/api/v1/erasures')).erasures, [], 'asking erases nothing');

  await page.getByRole('button', { name: 'Erase…' }).click();
  await dialog.getByRole('button', { name: 'Erase the session' }).click();
  await page.getByText(`Erased the session “${session}”`).waitFor({ timeout: 60_000 });
  await page.getByText(/1 span and 0 other rows are gone/).waitFor();
  await page.getByRole('row').filter({ hasText: 'Session' }).filter({ hasText: 'First key' }).waitFor();
  await shoot('data');

  refusals.add('404');
  await page.goto(`${box.url}/traces/${traceId}`);
  await page.getByText('There is no such trace').waitFor();
});

test('the API describes itself', async () => {
  await page.goto(`${box.url}/api/docs`);
  await page.getByText('/api/v1/query').first().waitFor();
  await shoot('api-docs');
  const document = await (await fetch(`${box.url}/api/v1/openapi.json`)).json();
  assert.match(document.openapi, /^3\.1/);
});

test('signed out, pages ask for the key and come back', async () => {
  await page.context().clearCookies();
  await page.goto(`${box.url}/keys`);
  await page.getByLabel('Virtual key').fill(KEY);
  await page.keyboard.press('Enter');
  await page.waitForURL(/\/keys/);
});

test('the first page is light, and no page complained', async () => {
  const page = await (await browser.newContext()).newPage();
  let bytes = 0;
  page.on('response', async (answer) => {
    if (answer.url().endsWith('.js')) bytes += Number((await answer.request().sizes()).responseBodySize);
  });
  await page.goto(`${box.url}/`, { waitUntil: 'networkidle' });
  assert.ok(bytes > 0 && bytes < 300_000, `${bytes} bytes of JavaScript`);
  await page.close();
  assert.deepEqual(problems, []);
});
