import type { SpanDetail } from '@/api/types';
import { formatDuration } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';

import { routeOf, type Try } from '../route';

function Bar({ one, end }: { one: Try; end: number }) {
  const took = one.took_ms ?? 0;
  const left = Math.min((one.started_ms / end) * 100, 99);
  return (
    <div className="relative h-2 min-w-24 flex-1 rounded-full bg-sunken" aria-hidden>
      <div
        className={`absolute h-2 rounded-full ${one.outcome === 'answered' ? 'bg-accent' : one.outcome === 'cancelled' ? 'bg-line-strong' : 'bg-error'}`}
        style={{ left: `${left}%`, width: `${Math.max((took / end) * 100, 1)}%`, maxWidth: `${100 - left}%` }}
      />
    </div>
  );
}

/** Which targets a call was tried at, how each try went, and who was left out and why. */
export function RouteTries({ span }: { span: SpanDetail }) {
  const route = routeOf(span);
  if (!route) return null;
  const end = Math.max(...route.tries.map((one) => one.started_ms + (one.took_ms ?? 0)), 1);
  return (
    <div className="text-sm">
      <p className="mb-2 text-muted">
        <span className="font-mono text-ink">{route.name}</span>
        {route.strategy && <> ({route.strategy})</>}
        {route.reason && <>: {route.reason}</>}
        {route.arm && (
          <>
            ; arm <span className="font-mono text-ink">{route.arm}</span>
            {route.armAnswered && <>, answered by arm {route.armAnswered}</>}
          </>
        )}
        {route.queuedMs !== undefined && <>; it waited {formatDuration(route.queuedMs)} in line</>}
        {route.budgetSpent && <>; another retry was left out, because the retry budget is spent</>}.
      </p>
      <ol className="divide-y divide-line border-y border-line">
        {route.tries.map((one, i) => (
          <li key={i} className="py-2">
            <div className="flex items-center gap-3">
              <span className="w-56 min-w-0 shrink-0 truncate font-mono text-xs" title={one.target}>
                {one.target}
              </span>
              <Badge
                tone={one.outcome === 'answered' ? 'ok' : one.outcome === 'cancelled' ? 'neutral' : 'error'}
              >
                {one.outcome}
              </Badge>
              {one.because && <span className="text-xs text-faint">{one.because}</span>}
              <Bar one={one} end={end} />
              <span className="num w-16 shrink-0 text-right text-xs text-muted">
                {formatDuration(one.took_ms)}
              </span>
            </div>
            {one.error && <p className="mt-1 text-xs break-words text-error">{one.error}</p>}
          </li>
        ))}
        {route.spared.map((target, i) => (
          <li key={`${i} ${target}`} className="flex items-center gap-3 py-2 text-faint">
            <span className="w-56 min-w-0 shrink-0 truncate font-mono text-xs" title={target}>
              {target}
            </span>
            <Badge>not needed</Badge>
            <span className="text-xs">next in line, had the ones before it failed</span>
          </li>
        ))}
        {route.left.map((one, i) => (
          <li key={`${i} ${one.target}`} className="flex items-center gap-3 py-2 text-faint">
            <span className="w-56 min-w-0 shrink-0 truncate font-mono text-xs" title={one.target}>
              {one.target}
            </span>
            <Badge>not asked</Badge>
            <span className="text-xs">{one.why}</span>
          </li>
        ))}
      </ol>
    </div>
  );
}
