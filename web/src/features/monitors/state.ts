import type { Monitor } from '@/api/types';
import type { Tone } from '@/shared/ui/badge';

export const phaseTone: Record<Monitor['phase'], Tone> = {
  ok: 'ok',
  pending: 'warn',
  firing: 'error',
  recovering: 'warn',
};

/** The kind of its condition. */
export const kindOf = (definition: object): string =>
  Object.keys((definition as { condition?: object }).condition ?? {})[0] ?? '';

/** The objective that it comes with. */
export const objectiveOf = (monitor: { name: string; source: string }): string | undefined =>
  monitor.source === 'objective' ? monitor.name.replace(/^objective\./, '') : undefined;
