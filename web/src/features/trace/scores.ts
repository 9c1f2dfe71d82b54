import type { NewScore, TraceScore } from '@/api/types';
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

const isWithdrawn = ({ source, label }: TraceScore): boolean => source === 'review' && label === withdrawn;

/** The scores of the whole trace, or those of one of its spans. */
export function scoresOf(scores: readonly TraceScore[], spanId?: string): TraceScore[] {
  return scores.filter((score) => score.span_id === spanId && !isWithdrawn(score));
}

/** What stands in place of a score that its author took back: it counts in no number. */
export const withdrawn = 'withdrawn';

/** How a person judges. */
export type Scale = 'thumbs' | 'points' | 'category';
export const scales: [Scale, string][] = [
  ['thumbs', 'Thumbs'],
  ['points', '1–5'],
  ['category', 'Category'],
];
export const points = [1, 2, 3, 4, 5];

export interface Rubric {
  name: string;
  scale: Scale;
  labels?: string[];
  about: string;
}

/** What is asked most often. Any other name will do as well. */
export const rubrics: Rubric[] = [
  { name: 'correctness', scale: 'thumbs', about: 'Is what it says right?' },
  { name: 'helpfulness', scale: 'points', about: 'How well does it serve who asked?' },
  { name: 'faithfulness', scale: 'thumbs', about: 'Does all of it follow from what it was given?' },
  {
    name: 'resolution',
    scale: 'category',
    labels: ['resolved', 'partly', 'not resolved'],
    about: 'Was the matter settled?',
  },
  {
    name: 'tone',
    scale: 'category',
    labels: ['fitting', 'too formal', 'too casual', 'rude'],
    about: 'Does it speak as it should?',
  },
];

/** A score while it is given. */
export interface ScoreDraft {
  name: string;
  scale: Scale;
  passed?: boolean;
  value?: number;
  label: string;
  reason: string;
}

export const emptyDraft: ScoreDraft = { name: 'correctness', scale: 'thumbs', label: '', reason: '' };

/** The draft with another name, on the scale that goes with it. */
export function named(draft: ScoreDraft, name: string): ScoreDraft {
  const rubric = rubrics.find((one) => one.name === name);
  return { ...draft, name, scale: rubric?.scale ?? draft.scale };
}

/** A score as it is edited. */
export function draftOfScore(score: TraceScore): ScoreDraft {
  const scale = score.label !== undefined ? 'category' : score.passed !== undefined ? 'thumbs' : 'points';
  return {
    name: score.name,
    scale,
    passed: score.passed,
    value: score.value,
    label: score.label ?? '',
    reason: score.reason ?? '',
  };
}

/** Something is said. */
export function isSaid({ name, scale, passed, value, label }: ScoreDraft): boolean {
  if (name.trim() === '') return false;
  if (scale === 'thumbs') return passed !== undefined;
  return scale === 'points' ? value !== undefined : label.trim() !== '';
}

export interface ScoreTarget {
  traceId: string;
  spanId?: string;
  author?: string;
  /** The score that it replaces. */
  before?: TraceScore;
}

const frame = ({ traceId, spanId, author, before }: ScoreTarget) => ({
  // The same id and time: it takes the place of the one before.
  id: before?.id,
  time: before?.time,
  trace_id: traceId,
  span_id: before ? before.span_id : spanId,
  source: 'review' as const,
  author,
});

/** As the API takes it. */
export function toScore(draft: ScoreDraft, target: ScoreTarget): NewScore {
  const { name, scale, passed, value, label, reason } = draft;
  const says =
    scale === 'thumbs'
      ? { passed, value: passed ? 1 : 0 }
      : scale === 'points'
        ? { value }
        : { label: label.trim() };
  const why = reason.trim();
  return {
    ...frame(target),
    ...says,
    name: name.trim(),
    reason: why === '' ? undefined : why,
    metadata: { scale } as unknown as NewScore['metadata'],
  };
}

/** Takes a score back. */
export const toWithdrawal = (before: TraceScore, target: ScoreTarget): NewScore => ({
  ...frame({ ...target, before }),
  name: before.name,
  label: withdrawn,
});

/** Who gave it may change it. */
export const isOwn = (score: TraceScore, author: string | undefined): boolean =>
  score.source === 'review' && author !== undefined && score.author === author;

/** One's own score of that name, which a new one replaces. */
export const ownBefore = (
  scores: readonly TraceScore[],
  name: string,
  spanId: string | undefined,
  author: string | undefined,
): TraceScore | undefined =>
  scores.find((score) => score.name === name.trim() && score.span_id === spanId && isOwn(score, author));
