import type { DatasetItem, DatasetVersion, Message } from '@/api/types';
import { parseJson } from '@/shared/chat/pair';

export type Fields = Record<string, unknown>;

/** Fields that have a place of their own, in the order in which people read them. */
export const known = [
  'input',
  'context',
  'output',
  'reference',
  'tools',
  'schema',
  'metadata',
  'source',
] as const;

export const fieldsOf = (item: DatasetItem): Fields => item.fields ?? {};

const isRecord = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const roles = new Set(['system', 'developer', 'user', 'assistant', 'tool']);

/** A conversation, whether it is written as OpenTelemetry or as OpenAI does; `undefined` if it is none. */
export function messagesOf(value: unknown): Message[] | undefined {
  const parsed = parseJson(value);
  const list: unknown = isRecord(parsed) && Array.isArray(parsed.messages) ? parsed.messages : parsed;
  if (!Array.isArray(list) || list.length === 0) return undefined;
  const messages = list.map(messageOf);
  return messages.every((message) => message !== undefined) ? messages : undefined;
}

function messageOf(value: unknown): Message | undefined {
  if (!isRecord(value) || typeof value.role !== 'string' || !roles.has(value.role)) return undefined;
  if (Array.isArray(value.parts)) return value as unknown as Message;
  const role = value.role === 'developer' ? 'system' : value.role;
  const { content } = value;
  const parts =
    typeof content === 'string'
      ? [{ type: 'text', content }]
      : Array.isArray(content)
        ? content.map((part: unknown) =>
            isRecord(part) && typeof part.text === 'string' ? { type: 'text', content: part.text } : part,
          )
        : [];
  const calls = Array.isArray(value.tool_calls)
    ? value.tool_calls.filter(isRecord).map((call) => {
        const inner = isRecord(call.function) ? call.function : call;
        return { type: 'tool_call', id: call.id, name: inner.name, arguments: parseJson(inner.arguments) };
      })
    : [];
  if (parts.length + calls.length === 0) return undefined;
  return { role, parts: [...parts, ...calls] } as unknown as Message;
}

/** What a person sees of a value in one line. */
export function lineOf(value: unknown): string {
  const messages = messagesOf(value);
  if (messages) {
    const last = messages.findLast((message) => message.role === 'user') ?? messages.at(-1);
    const texts = (last?.parts ?? []).map((part) =>
      'content' in part && typeof part.content === 'string' ? part.content : '',
    );
    const text = texts.filter(Boolean).join(' ');
    if (text) return squeeze(text);
  }
  if (value === undefined || value === null) return '';
  return squeeze(typeof value === 'string' ? value : JSON.stringify(value));
}

const squeeze = (text: string): string => text.slice(0, 400).replace(/\s+/g, ' ').trim();

/** What stands in the editor for a value: text as it is, anything else as JSON. */
export const draftOf = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value, null, 2);

/** What a person typed, as a value. What was no text before must stay JSON. */
export function valueOf(draft: string, before: unknown): { value?: unknown; problem?: string } {
  if (draft.trim() === '') return {};
  const wasText = before === undefined || typeof before === 'string';
  if (wasText && !/^\s*[[{]/.test(draft)) return { value: draft };
  try {
    return { value: JSON.parse(draft) as unknown };
  } catch (error) {
    if (wasText) return { value: draft };
    return { problem: `Not JSON: ${error instanceof Error ? error.message : 'it can’t be read'}` };
  }
}

/** The splits of a version, the largest first; the empty name last. */
export function splitsOf(version: DatasetVersion): [string, number][] {
  const splits = Object.entries(version.splits);
  return splits.sort(
    ([leftName, left], [rightName, right]) =>
      Number(leftName === '') - Number(rightName === '') || right - left || leftName.localeCompare(rightName),
  );
}

export const shortId = (id: string): string => id.slice(0, 10);

/** How a file is read, by its name and how it begins. */
export function formatOf(name: string, begin: string): 'jsonl' | 'csv' {
  if (/\.(jsonl|ndjson|json)$/i.test(name)) return 'jsonl';
  if (/\.(csv|tsv)$/i.test(name)) return 'csv';
  return begin.trimStart().startsWith('{') ? 'jsonl' : 'csv';
}

/** The names of the fields in a file, of its first line. */
export function columnsOf(format: 'jsonl' | 'csv', begin: string): string[] {
  const line = begin.replace(/^\ufeff/, '').split(/\r?\n/, 1)[0] ?? '';
  if (format === 'jsonl') {
    try {
      const first = JSON.parse(line) as unknown;
      return isRecord(first) ? Object.keys(first) : [];
    } catch {
      return [];
    }
  }
  const cells = line.match(/("([^"]|"")*"|[^,]*)(,|$)/g) ?? [];
  return cells
    .map((cell) => cell.replace(/,$/, '').trim().replace(/^"|"$/g, '').replaceAll('""', '"'))
    .filter((cell) => cell !== '');
}

const usual: Record<string, string> = {
  question: 'input',
  query: 'input',
  prompt: 'input',
  user_input: 'input',
  answer: 'output',
  response: 'output',
  completion: 'output',
  expected: 'reference',
  expected_output: 'reference',
  ground_truth: 'reference',
  golden: 'reference',
  target: 'reference',
  contexts: 'context',
  retrieved_contexts: 'context',
  documents: 'context',
  key: 'id',
};

/** What columns of other tools are called here. A name that is there already isn't given twice. */
export function guessRenames(columns: string[]): Record<string, string> {
  const taken = new Set(columns);
  const renames: Record<string, string> = {};
  for (const column of columns) {
    const to = usual[column.toLowerCase()];
    if (to === undefined || taken.has(to)) continue;
    taken.add(to);
    renames[column] = to;
  }
  return renames;
}

/** As the API takes it. */
export const renameParam = (renames: Record<string, string>): string =>
  Object.entries(renames)
    .filter(([from, to]) => to !== '' && from !== to)
    .map(([from, to]) => `${from}:${to}`)
    .join(',');

export interface Word {
  kind: 'same' | 'added' | 'removed';
  text: string;
}

/** Texts with more words than this are told apart as a whole: the work grows with the product. */
const mostWords = 1_500;

/** What differs between two texts, word by word. */
export function changedWords(before: string, after: string): Word[] {
  const old = before.match(/\s+|[^\s]+/g) ?? [];
  const now = after.match(/\s+|[^\s]+/g) ?? [];
  if (old.length > mostWords || now.length > mostWords || old.length === 0 || now.length === 0) {
    return before === after
      ? [{ kind: 'same', text: before }]
      : [
          { kind: 'removed', text: before },
          { kind: 'added', text: after },
        ];
  }
  // The longest common run of words, from the end, so that it is read from the beginning.
  const width = now.length + 1;
  const longest = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i -= 1) {
    for (let j = now.length - 1; j >= 0; j -= 1) {
      longest[i * width + j] =
        old[i] === now[j]
          ? (longest[(i + 1) * width + j + 1] ?? 0) + 1
          : Math.max(longest[(i + 1) * width + j] ?? 0, longest[i * width + j + 1] ?? 0);
    }
  }
  const words: Word[] = [];
  const say = (kind: Word['kind'], text: string): void => {
    const last = words.at(-1);
    if (last?.kind === kind) last.text += text;
    else words.push({ kind, text });
  };
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    if (i < old.length && j < now.length && old[i] === now[j]) {
      say('same', old[i] ?? '');
      i += 1;
      j += 1;
    } else if (
      j >= now.length ||
      (i < old.length && (longest[(i + 1) * width + j] ?? 0) >= (longest[i * width + j + 1] ?? 0))
    ) {
      say('removed', old[i] ?? '');
      i += 1;
    } else {
      say('added', now[j] ?? '');
      j += 1;
    }
  }
  return words;
}
