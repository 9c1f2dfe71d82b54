import type { SpanDetail } from '@/api/types';

/** One try of a route at answering a call. */
export interface Try {
  target: string;
  because?: string;
  started_ms: number;
  took_ms?: number;
  outcome: string;
  error?: string;
}

/** What a route did with a call. */
export interface RouteTaken {
  name: string;
  strategy?: string;
  reason?: string;
  /** The arm of an experiment that the caller belongs to, and another one if that answered. */
  arm?: string;
  armAnswered?: string;
  tries: Try[];
  /** Targets that could be asked and didn't have to be. */
  spared: string[];
  left: { target: string; why: string }[];
  queuedMs?: number;
  budgetSpent: boolean;
}

/** A JSON list in an attribute; whoever wrote it may have cut it. */
function listOf<T>(text: string | undefined): T[] {
  try {
    const value: unknown = JSON.parse(text ?? '[]');
    return Array.isArray(value) ? (value as T[]) : [];
  } catch {
    return [];
  }
}

/** The route that a call took, if it took one. */
export function routeOf(span: Pick<SpanDetail, 'attributes'>): RouteTaken | undefined {
  const of = (name: string): string | undefined => span.attributes?.[`signalbox.route.${name}`];
  const name = of('name');
  if (name === undefined) return undefined;
  const tries = listOf<Try>(of('tries'));
  const queued = Number(of('queued_ms'));
  return {
    name,
    strategy: of('strategy'),
    reason: of('reason'),
    arm: of('arm'),
    armAnswered: of('arm_answered'),
    tries,
    spared: listOf<string>(of('order')).filter((target) => !tries.some((one) => one.target === target)),
    left: listOf<{ target: string; why: string }>(of('left')),
    queuedMs: Number.isFinite(queued) && queued > 0 ? queued : undefined,
    budgetSpent: of('retry_budget_spent') === 'true',
  };
}
