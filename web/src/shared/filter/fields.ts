import type { FieldValues, Operator, TableInfo } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';

export interface FilterField {
  name: string;
  type: string;
  doc: string;
  unit?: string;
}

/** The fields that people filter by most, in this order; the rest follow by name. */
const favourites = [
  'model',
  'status',
  'kind',
  'user_id',
  'session_id',
  'verdict',
  'duration_ms',
  'cost',
  'service_name',
  'environment',
  'error_type',
  'provider',
  'source',
  'tags',
  'prompt_name',
  'agent_name',
  'tool_name',
  'ttft_ms',
  'total_tokens',
];

const hidden = new Set(['project_id', 'start_time', 'end_time']);
const filterable = new Set(['text', 'text_list', 'int', 'float', 'money', 'bool']);

export const isAttribute = (name: string): boolean => name.includes('.');

/** The columns that a filter can be about, and the attributes that spans have. */
export function filterFields(tables: TableInfo[] | undefined, known: FieldValues[] = []): FilterField[] {
  const columns = tables?.find((table) => table.name === 'spans')?.columns ?? [];
  const rank = (name: string): number => {
    const place = favourites.indexOf(name);
    return place < 0 ? favourites.length : place;
  };
  const attributes = known
    .filter(({ field }) => isAttribute(field))
    .sort((a, b) => b.count - a.count || a.field.localeCompare(b.field))
    .map(({ field, count }) => ({ name: field, type: 'text', doc: `On ${formatCount(count)} spans.` }));
  const named = columns
    .filter((column) => filterable.has(column.type) && !hidden.has(column.name))
    .map(({ name, type, doc, unit }) => ({ name, type, doc, unit: unit ?? undefined }))
    .sort((a, b) => rank(a.name) - rank(b.name) || a.name.localeCompare(b.name));
  return [...named, ...attributes];
}

export const isNumeric = (type: string): boolean => type === 'int' || type === 'float' || type === 'money';

export function operatorsOf(type: string): Operator[] {
  if (isNumeric(type)) return ['>=', '<=', '>', '<', '=', '!=', 'exists'];
  if (type === 'bool') return ['=', '!='];
  if (type === 'text_list') return ['contains', 'exists'];
  return ['=', '!=', 'in', 'not_in', 'contains', 'starts_with', 'exists'];
}

const labels: Record<string, string> = {
  duration_ms: 'latency',
  ttft_ms: 'time to first token',
  error_type: 'error',
  user_id: 'user',
  session_id: 'session',
  service_name: 'service',
  key_id: 'key',
};

export const fieldLabel = (name: string): string =>
  labels[name] ?? (isAttribute(name) ? name.slice(name.indexOf('.') + 1) : name.replaceAll('_', ' '));

/** `2s`, `350ms`, `1500` as milliseconds; other numbers as they are. */
export function parseNumber(text: string, unit?: string): number | undefined {
  const match = /^\$?\s*(-?\d+(?:\.\d+)?)\s*(ms|s|m|k)?$/i.exec(text.trim());
  if (!match) return undefined;
  const suffix = (match[2] ?? '').toLowerCase();
  if (unit === 'ms') return Number(match[1]) * ({ s: 1_000, m: 60_000 }[suffix] ?? 1);
  return suffix === '' ? Number(match[1]) : suffix === 'k' ? Number(match[1]) * 1_000 : undefined;
}
