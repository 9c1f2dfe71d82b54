import type { EvaluateAsk, MetricAbout } from '@/api/types';

/** What is typed for one input: a text as it is, or JSON. */
export interface Field {
  text: string;
  json: boolean;
}

/** What is typed for a metric. Of options and threshold only what is set. */
export interface Draft {
  fields: Record<string, Field>;
  options: Record<string, string>;
  threshold: string;
}

export const inputsOf = ({ inputs, optional_inputs }: MetricAbout): string[] => [
  ...inputs,
  ...optional_inputs,
];

function fieldOf(value: unknown): Field {
  if (value === undefined) return { text: '', json: false };
  return typeof value === 'string'
    ? { text: value, json: false }
    : { text: JSON.stringify(value, null, 2), json: true };
}

/** The worked example of a metric. */
export function draftOf(metric: MetricAbout): Draft {
  const example = metric.example as Record<string, unknown>;
  const fields = Object.fromEntries(inputsOf(metric).map((name) => [name, fieldOf(example[name])]));
  return { fields, options: {}, threshold: '' };
}

export type Read = { ask: EvaluateAsk } | { problems: Record<string, string> };

/** The request that a draft makes, or what is wrong where. An optional input without a text is left out. */
export function read(metric: MetricAbout, draft: Draft): Read {
  const problems: Record<string, string> = {};
  const values: Record<string, unknown> = {};
  for (const name of inputsOf(metric)) {
    const { text, json } = draft.fields[name] ?? { text: '', json: false };
    if (text.trim() === '' && (json || metric.optional_inputs.includes(name))) continue;
    try {
      values[name] = json ? (JSON.parse(text) as unknown) : text;
    } catch (error) {
      problems[name] = error instanceof Error ? error.message : 'not JSON';
    }
  }
  const options = Object.fromEntries(Object.entries(draft.options).filter(([, value]) => value !== ''));
  const threshold = draft.threshold.trim() === '' ? undefined : Number(draft.threshold);
  if (threshold !== undefined && !Number.isFinite(threshold)) problems.threshold = 'expected a number';
  if (Object.keys(problems).length > 0) return { problems };
  return { ask: { metrics: [{ name: metric.name, options, threshold }], cases: [values] } };
}

/** A text between single quotes, as a shell takes it. */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`;

/** JSON as Python writes it. */
function python(value: unknown, indent = ''): string {
  if (value === null || value === undefined) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  const inner = `${indent}    `;
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  const items = Array.isArray(value)
    ? value.map((item) => python(item, inner))
    : Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : [`${JSON.stringify(key)}: ${python(item, inner)}`],
      );
  const flat = `${open}${items.join(', ')}${close}`;
  if (flat.length <= 72 && !flat.includes('\n')) return flat;
  return `${open}\n${items.map((item) => `${inner}${item},\n`).join('')}${indent}${close}`;
}

/** The request for a shell and for Python. */
export function snippetsOf(metric: MetricAbout, ask: EvaluateAsk, origin: string) {
  const [setting] = ask.metrics;
  const { options = {}, threshold } =
    typeof setting === 'object' ? setting : { options: {}, threshold: undefined };
  const set = Object.entries(options).map(
    ([name, value]) => ` --option ${quoted(`${name}=${String(value)}`)}`,
  );
  const passing = threshold === undefined ? '' : ` --threshold ${threshold}`;
  return [
    {
      id: 'CLI',
      code: `echo ${quoted(JSON.stringify({ id: 1, ...ask.cases[0] }))} |\n  signalbox eval metric ${metric.name} --jsonl --evidence${set.join('')}${passing}`,
    },
    {
      id: 'curl',
      code: `curl ${origin}/api/v1/evaluate \\\n  -H "Authorization: Bearer $SIGNALBOX_KEY" \\\n  -H "Content-Type: application/json" \\\n  -d ${quoted(JSON.stringify(ask, null, 2))}`,
    },
    {
      id: 'Python',
      code: `import os

import httpx

answer = httpx.post(
    "${origin}/api/v1/evaluate",
    headers={"Authorization": f"Bearer {os.environ['SIGNALBOX_KEY']}"},
    json=${python(ask, '    ')},
)
print(answer.raise_for_status().json()["results"][0]["scores"][0])`,
    },
  ];
}
