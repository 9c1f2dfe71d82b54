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
  tries: Try[];
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
  const queued = Number(of('queued_ms'));
  return {
    name,
    strategy: of('strategy'),
    reason: of('reason'),
    tries: listOf<Try>(of('tries')),
    left: listOf<{ target: string; why: string }>(of('left')),
    queuedMs: Number.isFinite(queued) && queued > 0 ? queued : undefined,
    budgetSpent: of('retry_budget_spent') === 'true',
  };
}
