import type { Erased, Query } from '@/api/types';
import { formatWhole } from '@/shared/format/numbers';

/** By what things are erased: the words of the API. */
export const kinds = [
  {
    by: 'user_id',
    noun: 'user',
    label: 'User',
    hint: 'What your calls say in user.id.',
    example: 'user-4711',
  },
  {
    by: 'session_id',
    noun: 'session',
    label: 'Session',
    hint: 'What your calls say in gen_ai.conversation.id.',
    example: 'support-012ed21c',
  },
  {
    by: 'trace_id',
    noun: 'trace',
    label: 'Trace',
    hint: '32 hexadecimal digits, as in the address of its page.',
    example: '4bf92f3577b34da6a3ce929d0e0e4736',
  },
] as const;

export type Kind = (typeof kinds)[number];

export interface Target {
  kind: Kind;
  value: string;
}

/** The kind that the API calls so; it may learn others. */
export const labelOf = (by: string): string => kinds.find((kind) => kind.by === by)?.label ?? by;

export const nameOf = ({ kind, value }: Target): string => `the ${kind.noun} “${value}”`;

/** What is wrong with what was typed, or `undefined`. */
export function problemOf({ kind, value }: Target): string | undefined {
  if (value === '') return `Expected the id of a ${kind.noun}.`;
  if (kind.by !== 'trace_id' || /^[0-9a-f]{32}$/i.test(value)) return undefined;
  return 'A trace id has 32 hexadecimal digits.';
}

/** As the store has it: ids of traces are in lower case. */
export const targetOf = (kind: Kind, text: string): Target => ({
  kind,
  value: kind.by === 'trace_id' ? text.trim().toLowerCase() : text.trim(),
});

/** How much would go. */
export const reachOf = ({ kind, value }: Target): Query => ({
  table: 'spans',
  time: { from: '1970-01-01T00:00:00Z', to: 'now' },
  filter: { field: kind.by, op: '=', value },
  measures: [
    { fn: 'count', as: 'spans' },
    { fn: 'unique', column: 'trace_id', as: 'traces' },
    { fn: 'min', column: 'start_time', as: 'first' },
    { fn: 'max', column: 'start_time', as: 'last' },
  ],
});

export const count = (n: number, one: string, many = `${one}s`): string =>
  `${formatWhole(n)} ${n === 1 ? one : many}`;

/** What was erased, in words. */
export function sayErased({ spans, other_rows: others, files }: Erased): string {
  if (spans + others === 0) return 'Nothing of it was stored.';
  const rows = `${count(spans, 'span')} and ${count(others, 'other row')} are gone`;
  return files === 0 ? `${rows}.` : `${rows}; ${count(files, 'file was', 'files were')} written anew.`;
}
