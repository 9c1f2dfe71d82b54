import type { Filter, Operator } from '@/api/types';

/** One filter chip. Chips are joined by *and*. */
export interface Chip {
  field: string;
  op: Operator;
  value: Scalar | Scalar[] | undefined;
}
export type Scalar = string | number | boolean;

/** The word of an operator in the URL, and what people read. */
const words: Record<Operator, { word: string; label: string }> = {
  '=': { word: 'is', label: 'is' },
  '!=': { word: 'not', label: 'is not' },
  '>': { word: 'gt', label: '>' },
  '>=': { word: 'gte', label: '≥' },
  '<': { word: 'lt', label: '<' },
  '<=': { word: 'lte', label: '≤' },
  in: { word: 'in', label: 'is one of' },
  not_in: { word: 'none', label: 'is none of' },
  contains: { word: 'has', label: 'contains' },
  starts_with: { word: 'starts', label: 'starts with' },
  exists: { word: 'exists', label: 'is set' },
};

export const operatorLabel = (op: Operator): string => words[op].label;

const byWord = new Map(Object.entries(words).map(([op, { word }]) => [word, op as Operator]));

/** Text that would read as a number or boolean is quoted, so that `42` the user and 42 ms stay apart. */
function writeScalar(value: Scalar): string {
  if (typeof value !== 'string') return String(value);
  const ambiguous = value === '' || value.startsWith('"') || typeof bare(value) !== 'string';
  return (ambiguous ? JSON.stringify(value) : value).replace(/[%|]/g, encodeURIComponent);
}

function bare(text: string): Scalar {
  if (text === 'true' || text === 'false') return text === 'true';
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : text;
}

function readScalar(text: string): Scalar {
  const plain = decode(text);
  if (!plain.startsWith('"')) return bare(plain);
  try {
    const value: unknown = JSON.parse(plain);
    return typeof value === 'string' ? value : plain;
  } catch {
    return plain;
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

/** `field:word:value`, e.g. `model:is:gpt-4o-mini`, `duration_ms:gte:2000`, `status:in:ok|error`. */
export function writeChip({ field, op, value }: Chip): string {
  const name = field.replace(/[%:]/g, encodeURIComponent);
  const head = `${name}:${words[op].word}`;
  if (op === 'exists' || value === undefined) return head;
  return `${head}:${(Array.isArray(value) ? value : [value]).map(writeScalar).join('|')}`;
}

export function readChip(text: string): Chip | undefined {
  const [name, word, ...rest] = text.split(':');
  const op = byWord.get(word ?? '');
  if (!name || !op) return undefined;
  const field = decode(name);
  if (op === 'exists') return { field, op, value: undefined };
  const value = rest.join(':');
  if (op === 'in' || op === 'not_in') return { field, op, value: value.split('|').map(readScalar) };
  return { field, op, value: readScalar(value) };
}

/** What stands in the URL as `f`, once or many times. What can't be read is left out. */
export function readChips(value: unknown): Chip[] {
  const texts = Array.isArray(value) ? value : [value];
  return texts.flatMap((text) => (typeof text === 'string' ? (readChip(text) ?? []) : []));
}

export const writeChips = (chips: Chip[]): string[] | undefined =>
  chips.length > 0 ? chips.map(writeChip) : undefined;

export const chipIs = (field: string, value: Scalar): Chip => ({ field, op: '=', value });

/** The chip added; one of the same field and operator is replaced. */
export function withChip(chips: Chip[], chip: Chip): Chip[] {
  const rest = chips.filter((one) => one.field !== chip.field || one.op !== chip.op);
  return [...rest, chip];
}

/** The API's filter, or `undefined` where everything is meant. */
export function toFilter(chips: Chip[], ...more: Filter[]): Filter | undefined {
  const all = [
    ...more,
    ...chips.map(({ field, op, value }): Filter =>
      value === undefined ? { field, op } : { field, op, value },
    ),
  ];
  return all.length > 1 ? { all } : all[0];
}
