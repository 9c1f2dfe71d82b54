import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Maximize2, X } from 'lucide-react';
import type { ReactNode } from 'react';

import type { TraceSummary } from '@/api/types';
import { Messages, Value } from '@/shared/chat/messages';
import { spanQuery, traceQuery } from '@/shared/data/trace';
import { formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { KindIcon, StatusBadge, VerdictBadge } from '@/shared/span/badges';
import { exactTime, formatTime } from '@/shared/time/format';
import { buttonClass, IconButton } from '@/shared/ui/button';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

const Fact = ({ label, children }: { label: string; children: ReactNode }) => (
  <div className="min-w-0">
    <dt className="eyebrow">{label}</dt>
    <dd className="num truncate text-sm">{children}</dd>
  </div>
);

/** The conversation of a trace: that of its last model call, or what its root took and gave. */
function Content({ traceId }: { traceId: string }) {
  const trace = useQuery(traceQuery(traceId));
  const spans = trace.data?.spans ?? [];
  const wanted = spans.findLast((span) => span.kind === 'llm') ?? spans[0];
  const span = useQuery({ ...spanQuery(traceId, wanted?.span_id ?? ''), enabled: wanted !== undefined });
  const failed = [trace, span].find((one) => one.isError);
  if (failed) return <ErrorState error={failed.error} retry={() => void failed.refetch()} />;
  if (!span.data) {
    return (
      <div className="space-y-3">
        <Skeleton className="h-16 w-full rounded-lg" />
        <Skeleton className="h-32 w-full rounded-lg" />
      </div>
    );
  }
  const { input_messages: input = [], output_messages: output = [], status_message: problem } = span.data;
  return (
    <div className="space-y-3">
      {problem && (
        <div className="rounded-md bg-error-soft px-3 py-2 text-sm break-words text-error">{problem}</div>
      )}
      {input.length + output.length > 0 ? (
        <Messages input={input} output={output} />
      ) : (
        <>
          <div className="eyebrow">Input</div>
          <Value value={span.data.input} />
          <div className="eyebrow">Output</div>
          <Value value={span.data.output} />
        </>
      )}
    </div>
  );
}

/** A trace beside the list. */
export function Peek({
  traceId,
  trace,
  onClose,
}: {
  traceId: string;
  trace?: TraceSummary;
  onClose: () => void;
}) {
  return (
    <aside
      aria-label="Trace preview"
      className="flex w-[min(560px,45%)] shrink-0 flex-col border-l border-line bg-bg"
    >
      <header className="flex h-12 shrink-0 items-center gap-2 border-b border-line bg-surface pr-2 pl-4">
        {trace && <KindIcon kind={trace.kind} />}
        <h2 className="truncate text-sm font-semibold">{trace?.name ?? traceId}</h2>
        <span className="ml-auto flex items-center gap-1">
          <Link to="/traces/$traceId" params={{ traceId }} className={buttonClass('plain', 'sm')}>
            <Maximize2 size={13} aria-hidden /> Open
          </Link>
          <IconButton label="Close the preview" onClick={onClose}>
            <X size={15} />
          </IconButton>
        </span>
      </header>
      <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-4">
        {trace && (
          <>
            <div className="flex flex-wrap gap-1.5">
              <StatusBadge status={trace.status} errorType={trace.error_type} />
              <VerdictBadge verdict={trace.verdict} />
            </div>
            <dl className="grid grid-cols-3 gap-x-4 gap-y-3">
              <Fact label="Time">
                <span title={exactTime(trace.start_time)}>{formatTime(trace.start_time)}</span>
              </Fact>
              <Fact label="Latency">{formatDuration(trace.duration_ms)}</Fact>
              <Fact label="First token">{formatDuration(trace.ttft_ms)}</Fact>
              <Fact label="Tokens">
                {formatCount(trace.input_tokens)} → {formatCount(trace.output_tokens)}
              </Fact>
              <Fact label="Cost">{formatCost(trace.cost)}</Fact>
              <Fact label="Spans">{formatCount(trace.span_count)}</Fact>
              <Fact label="Model">{trace.models.join(', ') || '–'}</Fact>
              <Fact label="User">{trace.user_id ?? '–'}</Fact>
              <Fact label="Session">{trace.session_id ?? '–'}</Fact>
            </dl>
          </>
        )}
        <Content traceId={traceId} />
      </div>
    </aside>
  );
}
