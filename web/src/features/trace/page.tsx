import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useCanGoBack, useNavigate, useRouter } from '@tanstack/react-router';
import { useMemo, useRef, useState } from 'react';

import { ApiError } from '@/api/client';
import type { Trace } from '@/api/types';
import { traceQuery } from '@/shared/data/trace';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Button } from '@/shared/ui/button';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { type View, views } from '@/shared/url/range-search';

import { TraceHeader } from './parts/header';
import { SpanPanel } from './parts/span-panel';
import { Split } from './parts/split';
import { Waterfall } from './parts/waterfall';
import { buildForest, extentOf, spanToOpen, visibleRows } from './tree';

const route = getRouteApi('/house/traces/$traceId');
const settledMs = 30_000;

/** A trace whose last span ended a moment ago may still grow. */
function isGrowing(trace: Trace): boolean {
  return Date.now() - extentOf(trace.spans).to < settledMs;
}

function TraceView({ trace, onBack }: { trace: Trace; onBack: () => void }) {
  const search = route.useSearch();
  const navigate = useNavigate();
  const [collapsed, setCollapsed] = useState<ReadonlySet<string>>(new Set());
  const [text, setText] = useState('');
  const input = useRef<HTMLInputElement>(null);
  const roots = useMemo(() => buildForest(trace.spans), [trace.spans]);
  const extent = useMemo(() => extentOf(trace.spans), [trace.spans]);
  const rows = useMemo(() => visibleRows(roots, collapsed, text), [roots, collapsed, text]);
  const byId = useMemo(() => new Map(trace.spans.map((span) => [span.span_id, span])), [trace.spans]);

  const known = search.span !== undefined && byId.has(search.span) ? search.span : undefined;
  const first = useMemo(() => spanToOpen(roots), [roots]);
  const selected = known ?? first;
  const summary = byId.get(selected ?? '');
  const view = search.view ?? 'messages';
  const go = (span: string | undefined, next: View): void =>
    void navigate({
      to: '/traces/$traceId',
      params: { traceId: trace.trace_id },
      search: { span, view: next === 'messages' ? undefined : next },
      replace: true,
    });
  const move = (step: number): void => {
    const at = rows.findIndex((node) => node.span.span_id === selected);
    const next = rows[Math.min(rows.length - 1, Math.max(0, at + step))];
    if (next) go(next.span.span_id, view);
  };
  const toggle = (spanId: string): void => {
    const next = new Set(collapsed);
    if (!next.delete(spanId)) next.add(spanId);
    setCollapsed(next);
  };
  const toggleAll = (): void =>
    setCollapsed(collapsed.size > 0 ? new Set() : new Set(trace.spans.map((span) => span.span_id)));
  const setOpen = (open: boolean): void => {
    if (selected !== undefined && collapsed.has(selected) === open) toggle(selected);
  };
  const group = 'Trace';
  useShortcuts([
    { keys: 'j', label: 'Next span', group, run: () => move(1) },
    { keys: 'k', label: 'Previous span', group, run: () => move(-1) },
    { keys: 'arrowdown', label: 'Next span', group, run: () => move(1) },
    { keys: 'arrowup', label: 'Previous span', group, run: () => move(-1) },
    { keys: 'arrowright', label: 'Open the span', group, run: () => setOpen(true) },
    { keys: 'arrowleft', label: 'Close the span', group, run: () => setOpen(false) },
    { keys: '/', label: 'Search spans', group, run: () => input.current?.focus() },
    ...views.map((one, i) => ({
      keys: String(i + 1),
      label: `Show ${one}`,
      group,
      run: () => go(selected, one),
    })),
    { keys: 'escape', label: 'Back', group, run: onBack },
  ]);
  return (
    <>
      <TraceHeader trace={trace} onBack={onBack} />
      {trace.truncated && (
        <p role="status" className="shrink-0 bg-warn-soft px-5 py-2 text-sm text-warn">
          This trace is larger than one page holds: only its first{' '}
          {trace.spans.length.toLocaleString('en-US')} spans are shown. The page Query reads the others.
        </p>
      )}
      <Split
        name="trace"
        start={50}
        left={
          <Waterfall
            rows={rows}
            total={trace.spans.length}
            extent={extent}
            selected={selected}
            collapsed={collapsed}
            onSelect={(spanId) => go(spanId, view)}
            onToggle={toggle}
            onToggleAll={toggleAll}
            search={text}
            onSearch={setText}
            input={input}
          />
        }
        right={
          summary ? (
            <SpanPanel
              traceId={trace.trace_id}
              summary={summary}
              scores={trace.scores}
              view={view}
              onView={(next) => go(selected, next)}
            />
          ) : (
            <EmptyState title="No span is selected" className="flex-1" />
          )
        }
      />
    </>
  );
}

function Loading() {
  return (
    <div role="status" aria-label="Loading the trace" className="flex h-full flex-col">
      <div className="space-y-2 border-b border-line bg-surface px-4 py-3">
        <Skeleton className="h-5 w-72" />
        <Skeleton className="h-4 w-[480px]" />
      </div>
      <div className="flex flex-1">
        <div className="w-1/2 space-y-3 border-r border-line bg-surface p-4">
          {Array.from({ length: 8 }, (_, i) => (
            <Skeleton key={i} className="h-4 w-full" />
          ))}
        </div>
        <div className="flex-1 space-y-3 p-4">
          <Skeleton className="h-24 w-full rounded-lg" />
          <Skeleton className="h-40 w-full rounded-lg" />
        </div>
      </div>
    </div>
  );
}

export function TracePage() {
  const { traceId } = route.useParams();
  const navigate = useNavigate();
  const router = useRouter();
  const canGoBack = useCanGoBack();
  const answer = useQuery({
    ...traceQuery(traceId),
    refetchInterval: ({ state }) =>
      state.data && isGrowing(state.data) ? (state.data.spans.length > 1_000 ? 10_000 : 2_000) : false,
  });
  const back = (): void => {
    if (canGoBack) router.history.back();
    else void navigate({ to: '/traces' });
  };
  const missing = answer.error instanceof ApiError && answer.error.status === 404;
  return (
    <>
      <title>{`${answer.data?.name ?? 'Trace'} · Signalbox`}</title>
      {answer.isPending && <Loading />}
      {answer.isError && !answer.data && !missing && (
        <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
      )}
      {missing && (
        <EmptyState title="There is no such trace" className="h-full">
          <p className="mb-4">
            No span of the trace <span className="font-mono text-xs break-all">{traceId}</span> is stored
            here. It may be too old, not yet sent, or of another project.
          </p>
          <Button onClick={() => void navigate({ to: '/traces' })}>All traces</Button>
        </EmptyState>
      )}
      {answer.data && <TraceView key={traceId} trace={answer.data} onBack={back} />}
    </>
  );
}
