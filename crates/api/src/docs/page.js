// Draws the OpenAPI document of this Signalbox. No dependency, no inline markup from the document:
// everything is set as text.
'use strict';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const MOST_LIVE_CHARS = 20000;
let api;

function h(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== undefined && value !== false) element.setAttribute(name, value);
  }
  element.append(...children.flat(9).filter((child) => child !== undefined && child !== false && child !== null));
  return element;
}

// Paragraphs and `code`: all that our descriptions use.
function prose(text, tag = 'p') {
  return (text ?? '').split(/\n\s*\n/).filter(Boolean).map((paragraph) =>
    h(tag, { class: 'soft' }, paragraph.split('`').map((piece, i) => (i % 2 ? h('code', {}, piece) : piece))));
}

function resolve(schema) {
  if (!schema?.$ref) return schema ?? {};
  const found = schema.$ref.split('/').slice(1).reduce((node, part) => node?.[part], api);
  return { ...found, description: schema.description ?? found?.description };
}

const nameOf = (schema) => schema?.$ref?.split('/').pop();

function typeOf(schema) {
  const name = nameOf(schema);
  const found = resolve(schema);
  if (found.type === 'array') return `${typeOf(found.items)}[]`;
  if (found.enum) return found.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (found.type === 'object' && found.additionalProperties && found.additionalProperties !== true && !found.properties) {
    return `{ [key]: ${typeOf(found.additionalProperties)} }`;
  }
  if (name && (found.type === 'object' || found.allOf || found.oneOf)) return name;
  if (found.oneOf ?? found.anyOf) return (found.oneOf ?? found.anyOf).map(typeOf).join(' | ');
  const base = Array.isArray(found.type) ? found.type.join(' | ') : found.type ?? 'any';
  return found.format ? `${base} (${found.format})` : base;
}

// The schemas that are worth opening below a type.
function inner(schema) {
  const found = resolve(schema);
  if (found.type === 'array') return inner(found.items);
  if (found.additionalProperties && typeof found.additionalProperties === 'object') return inner(found.additionalProperties);
  if (found.properties || found.allOf) return [schema];
  return (found.oneOf ?? found.anyOf ?? []).flatMap(inner);
}

function properties(schema) {
  const found = resolve(schema);
  const own = Object.entries(found.properties ?? {}).map(([name, property]) => ({ name, property, required: found.required?.includes(name) }));
  return [...(found.allOf ?? []).flatMap(properties), ...own];
}

// Fields are drawn when they are opened: a filter holds filters.
function fields(schema) {
  return h('ul', { class: 'fields' }, properties(schema).map(({ name, property, required }) => {
    const deeper = inner(property);
    return h('li', {},
      h('b', {}, name), ' ', h('span', { class: 'type' }, typeOf(property)), ' ',
      required && h('span', { class: 'required' }, 'required'),
      prose(resolve(property).description, 'div'),
      deeper.map((one) => lazily(nameOf(one) ?? 'fields', () => fields(one))));
  }));
}

function lazily(title, draw) {
  const details = h('details', {}, h('summary', {}, title));
  details.addEventListener('toggle', () => details.childElementCount === 1 && details.append(draw()), { once: true });
  return details;
}

function example(schema, depth = 0) {
  const found = resolve(schema);
  if (found.example !== undefined) return found.example;
  if (found.enum) return found.enum[0];
  if (found.type === 'array') return [];
  if (properties(schema).length && depth < 4) {
    const needed = properties(schema).filter(({ required, property }) => required || resolve(property).example !== undefined);
    return Object.fromEntries(needed.map(({ name, property }) => [name, example(property, depth + 1)]));
  }
  return { string: '', integer: 0, number: 0, boolean: false }[found.type] ?? null;
}

const json = (value) => JSON.stringify(value, null, 2);
const anchor = (method, path) => `${method}${path.replace(/[^a-z0-9]+/gi, '-')}`;
const key = () => document.getElementById('key').value.trim();

function bodyOf(operation) {
  const content = operation.requestBody?.content?.['application/json'];
  if (!content) return undefined;
  const examples = Object.entries(content.examples ?? {}).map(([name, { summary, value }]) => ({ name, summary, value }));
  return { schema: content.schema, examples: examples.length ? examples : [{ name: 'Example', value: example(content.schema) }] };
}

function article(method, path, operation) {
  const body = bodyOf(operation);
  const parameters = operation.parameters ?? [];
  return h('article', { id: anchor(method, path) },
    h('h3', {}, operation.summary ?? path),
    h('div', { class: 'path' }, h('span', { class: `method ${method}` }, method), path,
      operation.security && h('span', { class: 'open' }, 'no key needed')),
    prose(operation.description),
    parameters.length > 0 && [h('h4', {}, 'Parameters'), h('ul', { class: 'fields' }, parameters.map((parameter) =>
      h('li', {}, h('b', {}, parameter.name), ' ', h('span', { class: 'type' }, `${typeOf(parameter.schema)} in ${parameter.in}`), ' ',
        parameter.required && h('span', { class: 'required' }, 'required'), prose(parameter.description, 'div'))))],
    body && [h('h4', {}, 'Body'), h('span', { class: 'type' }, typeOf(body.schema)), fields(body.schema)],
    h('h4', {}, 'Answers'),
    h('ul', { class: 'fields' }, Object.entries(operation.responses).map(([status, response]) => answer(status, resolve(response)))),
    trial(method, path, operation, parameters, body));
}

function answer(status, response) {
  const [contentType, content] = Object.entries(response.content ?? {})[0] ?? [];
  return h('li', {}, h('b', {}, status), ' ', content && h('span', { class: 'type' }, `${typeOf(content.schema)} · ${contentType}`),
    prose(response.description, 'div'),
    content && inner(content.schema).map((one) => lazily(nameOf(one) ?? 'fields', () => fields(one))));
}

function trial(method, path, operation, parameters, body) {
  const inputs = parameters.map((parameter) => [parameter, h('input', { placeholder: parameter.example ?? '', spellcheck: 'false' })]);
  const text = body && h('textarea', { spellcheck: 'false', 'aria-label': 'Body' });
  if (text) text.value = json(body.examples[0].value);
  const out = h('div', { 'aria-live': 'polite' });
  let stop;

  const address = () => {
    const query = new URLSearchParams();
    let filled = path;
    for (const [parameter, input] of inputs) {
      if (parameter.in === 'path') filled = filled.replace(`{${parameter.name}}`, encodeURIComponent(input.value));
      else if (input.value) query.set(parameter.name, input.value);
    }
    return query.size ? `${filled}?${query}` : filled;
  };
  const send = async () => {
    stop?.abort();
    stop = new AbortController();
    const headers = text ? { 'content-type': 'application/json' } : {};
    if (key() && !operation.security) headers.authorization = `Bearer ${key()}`;
    const begun = performance.now();
    out.replaceChildren(h('p', { class: 'soft' }, 'Waiting…'));
    try {
      const response = await fetch(address(), { method: method.toUpperCase(), headers, body: text?.value, signal: stop.signal });
      const took = Math.round(performance.now() - begun);
      const status = h('p', { class: response.ok ? 'ok' : 'bad' }, `${response.status} ${response.statusText} · ${took} ms`);
      await show(response, status, out, () => stop.abort());
    } catch (error) {
      if (error.name !== 'AbortError') out.replaceChildren(h('p', { class: 'bad' }, `Not answered: ${error.message}`));
    }
  };
  const curl = () => {
    const quote = (value) => `'${value.replaceAll("'", `'\\''`)}'`;
    const parts = ['curl', method === 'get' ? '' : `-X ${method.toUpperCase()}`, quote(location.origin + address())];
    if (!operation.security) parts.push(`-H "Authorization: Bearer $SIGNALBOX_KEY"`);
    if (text) parts.push(`-H 'Content-Type: application/json'`, `-d ${quote(text.value)}`);
    return parts.filter(Boolean).join(' ');
  };
  const copy = async (event) => {
    const button = event.currentTarget;
    try {
      await navigator.clipboard.writeText(curl());
      button.textContent = 'Copied';
    } catch {
      out.replaceChildren(h('pre', {}, curl()));
    }
    setTimeout(() => { button.textContent = 'Copy as curl'; }, 1500);
  };
  return h('form', { class: 'try', onsubmit: (event) => { event.preventDefault(); send(); } },
    inputs.map(([parameter, input]) => h('label', {}, h('b', {}, parameter.name), input)),
    text && body.examples.length > 1 && h('div', { class: 'row' }, body.examples.map(({ name, summary, value }) =>
      h('button', { type: 'button', title: summary, onclick: () => { text.value = json(value); } }, name))),
    text,
    h('div', { class: 'row' }, h('button', { class: 'main' }, 'Try it'), h('button', { type: 'button', onclick: copy }, 'Copy as curl')),
    out);
}

async function show(response, status, out, stop) {
  const contentType = response.headers.get('content-type') ?? '';
  if (contentType.startsWith('text/event-stream') && response.body) {
    const pre = h('pre', {});
    out.replaceChildren(status, h('div', { class: 'row' }, h('button', { type: 'button', onclick: stop }, 'Stop'), h('span', { class: 'soft' }, 'waiting for events…')), pre);
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let read = await reader.read(); !read.done; read = await reader.read()) {
      pre.textContent = (pre.textContent + read.value).slice(-MOST_LIVE_CHARS);
    }
    return;
  }
  const text = await response.text();
  let pretty = text;
  if (contentType.startsWith('application/json')) {
    try { pretty = json(JSON.parse(text)); } catch { /* shown as it came */ }
  }
  out.replaceChildren(status, ...(pretty ? [h('pre', {}, pretty)] : []));
}

function draw() {
  const operations = Object.entries(api.paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ method, path, operation: item[method] })));
  document.title = `${api.info.title} API`;
  document.getElementById('version').textContent = `API ${api.info.version}`;
  const main = document.getElementById('operations');
  const index = document.getElementById('index');
  main.replaceChildren(...prose(api.info.description));
  for (const tag of api.tags) {
    const own = operations.filter(({ operation }) => operation.tags?.includes(tag.name));
    if (!own.length) continue;
    main.append(h('section', {}, h('h2', {}, tag.name), prose(tag.description), own.map(({ method, path, operation }) => article(method, path, operation))));
    index.append(h('section', {}, h('h2', {}, tag.name), own.map(({ method, path, operation }) =>
      h('a', { href: `#${anchor(method, path)}`, 'data-find': `${method} ${path} ${operation.summary} ${operation.operationId}`.toLowerCase(), title: path },
        h('span', { class: `method ${method}` }, method), operation.summary ?? path))));
  }
  document.querySelector(location.hash.length > 1 ? `[id="${CSS.escape(location.hash.slice(1))}"]` : 'html')?.scrollIntoView();
}

async function begin() {
  const search = document.getElementById('search');
  search.addEventListener('input', () => {
    for (const link of document.querySelectorAll('#index a')) link.hidden = !link.dataset.find.includes(search.value.toLowerCase());
    for (const section of document.querySelectorAll('#index section')) section.hidden = !section.querySelector('a:not([hidden])');
  });
  document.addEventListener('keydown', (event) => {
    if (event.key === '/' && !/^(INPUT|TEXTAREA)$/.test(event.target.tagName)) { event.preventDefault(); search.focus(); }
    if (event.key === 'Escape') event.target.blur?.();
  });
  const input = document.getElementById('key');
  // For this tab only: a key has no business in a profile on disk.
  input.value = sessionStorage.getItem('signalbox-docs-key') ?? '';
  input.addEventListener('change', () => sessionStorage.setItem('signalbox-docs-key', key()));
  try {
    const response = await fetch('/api/v1/openapi.json');
    if (!response.ok) throw new Error(`status ${response.status}`);
    api = await response.json();
    draw();
  } catch (error) {
    document.getElementById('operations').replaceChildren(h('p', { class: 'state bad' }, `The document could not be read: ${error.message}`));
  }
}

begin();
