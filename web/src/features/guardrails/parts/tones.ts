import type { Finding, JudgedText } from '@/api/types';
import type { Tone } from '@/shared/ui/badge';

export const actionTone: Record<Finding['action'], Tone> = {
  flag: 'warn',
  tokenise: 'info',
  redact: 'info',
  rewrite: 'error',
  block: 'error',
};

export const severityTone: Record<Finding['severity'], Tone> = {
  low: 'neutral',
  medium: 'info',
  high: 'warn',
  critical: 'error',
};

export const verdictTone: Record<JudgedText['verdict'], Tone> = { allow: 'ok', ...actionTone };

/** What a row of the store says, if it is one of these words. */
export const toneOf = <T extends string>(tones: Record<T, Tone>, word: unknown): Tone =>
  typeof word === 'string' && word in tones ? tones[word as T] : 'neutral';
