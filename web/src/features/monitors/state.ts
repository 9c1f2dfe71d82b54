import type { Monitor } from '@/api/types';
import type { Tone } from '@/shared/ui/badge';

export const phaseTone: Record<Monitor['phase'], Tone> = {
  ok: 'ok',
  pending: 'warn',
  firing: 'error',
  recovering: 'warn',
};

/** How it is, in a word. What has never had data is not well, it is unknown. */
export function stateOf(monitor: Pick<Monitor, 'phase' | 'problem' | 'definition' | 'series'>): {
  word: string;
  tone: Tone;
} {
  if ((monitor.definition as { enabled?: unknown }).enabled === false)
    return { word: 'off', tone: 'neutral' };
  if (monitor.phase !== 'ok') return { word: monitor.phase, tone: phaseTone[monitor.phase] };
  if (monitor.problem) return { word: 'unknown', tone: 'error' };
  if (monitor.series.length === 0) return { word: 'no data', tone: 'neutral' };
  return { word: 'ok', tone: 'ok' };
}

const tones: Tone[] = ['error', 'warn', 'ok', 'info', 'neutral'];

/** What is wrong comes first; by name among what is alike. */
export const byNeed = <One extends Monitor>(monitors: One[]): One[] =>
  monitors.toSorted(
    (one, other) =>
      tones.indexOf(stateOf(one).tone) - tones.indexOf(stateOf(other).tone) ||
      one.name.localeCompare(other.name),
  );

/** The kind of its condition. */
export const kindOf = (definition: object): string =>
  Object.keys((definition as { condition?: object }).condition ?? {})[0] ?? '';

/** The objective that it comes with. */
export const objectiveOf = (monitor: { name: string; source: string }): string | undefined =>
  monitor.source === 'objective' ? monitor.name.replace(/^objective\./, '') : undefined;
