import type { SpanDetail } from '@/api/types';

export interface UsageClass {
  label: string;
  tokens: number;
  color: string;
  cost?: number;
  /** Its cost is within that of another class. */
  partOf?: string;
}

/** Tokens by class without overlap: input holds what was cached, output holds reasoning. */
export function usageClasses(span: SpanDetail): UsageClass[] {
  const {
    cache_read_tokens: read = 0,
    cache_write_tokens: write = 0,
    reasoning_tokens: reasoning = 0,
  } = span;
  const classes: UsageClass[] = [
    {
      label: 'Input',
      tokens: Math.max(0, (span.input_tokens ?? 0) - read - write),
      color: '--series-2',
      cost: span.cost_input,
    },
    { label: 'Cache read', tokens: read, color: '--series-6', cost: span.cost_cache_read },
    { label: 'Cache write', tokens: write, color: '--series-7', cost: span.cost_cache_write },
    {
      label: 'Output',
      tokens: Math.max(0, (span.output_tokens ?? 0) - reasoning),
      color: '--series-3',
      cost: span.cost_output,
    },
    { label: 'Reasoning', tokens: reasoning, color: '--series-5', partOf: 'output' },
  ];
  return classes.filter((one) => one.tokens > 0);
}
