import type { TraceScore } from '@/api/types';
import { trimZeros } from '@/shared/format/numbers';
import type { Tone } from '@/shared/ui/badge';

/** What a score says, in a few characters. */
export function wordOf({ value, label, passed }: TraceScore): string {
  const words = [
    typeof value === 'number' ? trimZeros(value.toFixed(Math.abs(value) < 10 ? 2 : 0)) : undefined,
    label,
  ].filter((word) => word !== undefined);
  if (words.length > 0) return words.join(' · ');
  return passed ? 'passed' : 'failed';
}

/** Colour tells a verdict only: what a bare number is worth depends on its metric. */
export function toneOf({ passed }: TraceScore): Tone {
  return passed === undefined ? 'neutral' : passed ? 'ok' : 'error';
}

/** The scores of the whole trace, or those of one of its spans. */
export function scoresOf(scores: readonly TraceScore[], spanId?: string): TraceScore[] {
  return scores.filter((score) => score.span_id === spanId);
}
