// The options of scanners as fields of a form, read from the JSON schema that the API tells of each scanner.

import type { Policy } from '@/api/types';

export type Options = NonNullable<Policy['options']> | Record<string, unknown>;

/** How a value is entered. What is none of the others is typed as JSON. */
export type Kind = 'texts' | 'topics' | 'yes' | 'number' | 'choice' | 'text' | 'json';

export interface OptionField {
  name: string;
  kind: Kind;
  about: string;
  /** What could stand there, as it would be typed. */
  example?: string;
  /** What counts where nothing is given. */
  preset?: unknown;
  /** `choice`: what there is to choose from. */
  choices?: { value: string; about: string }[];
  /** `json`: what may stand in it. */
  parts?: { name: string; about: string }[];
  /** `json`: it is a list. */
  many?: boolean;
  /** `number`: without a fraction. */
  whole?: boolean;
}

interface Schema {
  type?: string | string[];
  description?: string;
  default?: unknown;
  properties?: Record<string, Schema>;
  additionalProperties?: boolean | Schema;
  items?: boolean | Schema;
  oneOf?: Schema[];
  const?: unknown;
  $ref?: string;
  $defs?: Record<string, Schema>;
}

/** The schema's examples are YAML; these are for what is typed as JSON. */
const examples: Record<string, string> = {
  'json_schema.schema': `{
  "type": "object",
  "required": ["city"],
  "properties": {"city": {"type": "string"}}
}`,
  'tool_policy.arguments': `[
  {"tool": "read_file", "argument": "path", "patterns": ["^/etc/"]},
  {"tool": "send_*", "schema": {"type": "object", "required": ["to"]}}
]`,
};

const exampleInText = /\s*(?:Example|E\.g\.): `(.+?)`\.?\s*$/s;

/** The words of a description, on one line and without its example. */
const wordsOf = ({ description = '' }: Schema): string =>
  description.replace(exampleInText, '').replace(/\s+/g, ' ').trim();

const bare = (text: string): string => text.trim().replace(/^(['"])(.*)\1$/, '$2');

/** `[a, 'b']` as lines. A comma within a pattern (`{4,6}`) has no space behind it. */
const linesOfList = (yaml: string): string =>
  yaml
    .replace(/^\[|\]$/g, '')
    .split(', ')
    .map(bare)
    .join('\n');

/** `{politics: [election, Wahl*]}` as lines. */
const linesOfTopics = (yaml: string): string =>
  [...yaml.matchAll(/([^{},[\]:]+): \[([^\]]*)\]/g)]
    .map(([, topic = '', words = '']) => `${topic.trim()}: ${words}`)
    .join('\n');

function typeOf({ type }: Schema): string | undefined {
  return typeof type === 'string' ? type : type?.find((one) => one !== 'null');
}

const isTexts = (schema: Schema): boolean =>
  typeOf(schema) === 'array' && typeof schema.items === 'object' && typeOf(schema.items) === 'string';

function kindOf(schema: Schema, choices: Schema[]): Kind {
  const type = typeOf(schema);
  if (choices.length > 0) return 'choice';
  if (isTexts(schema)) return 'texts';
  if (typeof schema.additionalProperties === 'object' && isTexts(schema.additionalProperties))
    return 'topics';
  if (type === 'boolean') return 'yes';
  if (type === 'integer' || type === 'number') return 'number';
  return type === 'string' ? 'text' : 'json';
}

function exampleOf(path: string, kind: Kind, schema: Schema): string | undefined {
  if (kind === 'json') return examples[path];
  const told = exampleInText.exec(schema.description ?? '')?.[1];
  if (told === undefined) return undefined;
  if (kind === 'texts') return linesOfList(told);
  return kind === 'topics' ? linesOfTopics(told) : told;
}

/** What counts if nothing is said; single precision would show as 0.4000000059604645. */
function presetOf({ default: preset }: Schema): unknown {
  return typeof preset === 'number' ? Number(preset.toPrecision(6)) : (preset ?? undefined);
}

const partsOf = ({ properties = {} }: Schema): { name: string; about: string }[] =>
  Object.entries(properties).map(([name, part]) => ({ name, about: wordsOf(part) }));

/** The fields of a scanner's options. What a policy has beyond them is shown, too: the server refuses it by name. */
export function fieldsOf(
  scanner: { name: string; options?: unknown },
  options: Options = {},
  services: string[] = [],
): OptionField[] {
  const root = (scanner.options ?? {}) as Schema;
  const resolved = (schema: Schema): Schema =>
    schema.$ref === undefined ? schema : (root.$defs?.[schema.$ref.split('/').pop() ?? ''] ?? {});
  const fields = Object.entries(root.properties ?? {}).map(([name, schema]): OptionField => {
    const target = resolved(schema);
    const isService = scanner.name === 'remote' && name === 'service';
    const listed = (target.oneOf ?? []).filter((one) => typeof one.const === 'string');
    const kind = isService ? 'choice' : kindOf(target, listed);
    const items = typeof target.items === 'object' ? resolved(target.items) : target;
    const example = exampleOf(`${scanner.name}.${name}`, kind, schema);
    const preset = presetOf(schema);
    return {
      name,
      kind,
      about: wordsOf(schema) || wordsOf(target),
      ...(example !== undefined && { example }),
      ...(preset !== undefined && preset !== '' && { preset }),
      ...(kind === 'choice' && {
        choices: isService
          ? services.map((value) => ({ value, about: '' }))
          : listed.map((one) => ({ value: String(one.const), about: wordsOf(one) })),
      }),
      ...(kind === 'number' && { whole: typeOf(target) === 'integer' }),
      ...(kind === 'json' && { parts: partsOf(items), many: typeOf(target) === 'array' }),
    };
  });
  const known = new Set(fields.map(({ name }) => name));
  const others = Object.keys(options).filter((name) => !known.has(name));
  return [
    ...fields,
    ...others.map((name): OptionField => ({ name, kind: 'json', about: 'This scanner has no such option.' })),
  ];
}

/** What all options together are about: `What to look for. At least one word or pattern.` */
export const aboutOptions = (schema: unknown): string => wordsOf(schema ?? {});

/** The options with one of them changed; what says nothing is left out. */
export function withOption(options: Options | undefined, name: string, value: unknown): Options {
  const rest = Object.entries(options ?? {}).filter(([other]) => other !== name);
  const saysNothing =
    value === undefined ||
    value === '' ||
    (typeof value === 'object' && value !== null && Object.keys(value).length === 0);
  return Object.fromEntries(saysNothing ? rest : [...rest, [name, value]]);
}

/** A value as it is typed. */
export function typedOf(kind: Kind, value: unknown): string {
  if (value === undefined || value === null) return '';
  if (kind === 'texts') return (value as string[]).join('\n');
  if (kind === 'topics')
    return Object.entries(value as Record<string, string[]>)
      .map(([topic, words]) => `${topic}: ${words.join(', ')}`)
      .join('\n');
  return kind !== 'json' && typeof value === 'string' ? value : JSON.stringify(value, null, 2);
}

/** A value on one line, to be read and not to be taken over: texts without quotes, topics with their words. */
export function inWords(value: unknown): string {
  if (typeof value === 'string') return value;
  const isTexts = (list: unknown): list is string[] =>
    Array.isArray(list) && list.every((one) => typeof one === 'string');
  if (isTexts(value)) return value.join(', ');
  if (typeof value === 'object' && value !== null && Object.values(value).every(isTexts))
    return typedOf('topics', value).replaceAll('\n', '; ');
  return JSON.stringify(value);
}

export type Read = { value: unknown } | { problem: string };

const lines = (text: string): string[] =>
  text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');

function readTopics(text: string): Read {
  const topics: Record<string, string[]> = {};
  for (const line of lines(text)) {
    const at = line.indexOf(':');
    if (at < 1) return { problem: `No topic in the line “${line}”: write topic: word, word.` };
    const words = line.slice(at + 1).split(',');
    const topic = line.slice(0, at).trim();
    topics[topic] = [
      ...(topics[topic] ?? []),
      ...words.map((word) => word.trim()).filter((word) => word !== ''),
    ];
  }
  return { value: topics };
}

/** What somebody typed, as a value; or why it is none yet. */
export function read({ kind, many }: Pick<OptionField, 'kind' | 'many'>, text: string): Read {
  if (text.trim() === '') return { value: undefined };
  if (kind === 'texts') return { value: lines(text) };
  if (kind === 'topics') return readTopics(text);
  if (kind !== 'json') return { value: text };
  try {
    const value: unknown = JSON.parse(text);
    return many === true && !Array.isArray(value) ? { problem: 'It must be a list: […].' } : { value };
  } catch {
    return { problem: 'This is no JSON yet.' };
  }
}
