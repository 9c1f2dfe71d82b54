import { useQuery } from '@tanstack/react-query';
import { ListPlus, Star } from 'lucide-react';
import { useState } from 'react';

import type { SpanDetail, SpanSummary, TraceScore } from '@/api/types';
import { spanQuery } from '@/shared/data/trace';
import { formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { KindIcon, StatusBadge, VerdictBadge } from '@/shared/span/badges';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Button } from '@/shared/ui/button';
import { CopyButton } from '@/shared/ui/copy';
import { JsonTree } from '@/shared/ui/json-tree';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';
import { Tabs } from '@/shared/ui/tabs';
import type { View } from '@/shared/url/range-search';

import { canCopyAsCurl, curlOf } from '../curl';
import { scoresOf } from '../scores';
import { AddToDataset } from './add-to-dataset';
import { Attributes } from './attributes';
import { Conversation } from './conversation';
import { Details } from './details';
import { OwnScore, ScoreForm } from './score-form';
import { ScoreChips } from './scores';

function Loading() {
  return (
    <div role="status" aria-label="Loading the span" className="space-y-3 p-4">
      <Skeleton className="h-12 w-full rounded-lg" />
      <Skeleton className="h-24 w-full rounded-lg" />
      <Skeleton className="h-40 w-full rounded-lg" />
    </div>
  );
}

const panes: {
  id: View;
  label: string;
  show: (
    span: SpanDetail,
    scores: TraceScore[],
    own: (score: TraceScore) => React.ReactNode,
  ) => React.ReactNode;
  count?: (span: SpanDetail) => number;
}[] = [
  {
    id: 'messages',
    label: 'Messages',
    show: (span) => <Conversation span={span} />,
    count: (span) => (span.input_messages?.length ?? 0) + (span.output_messages?.length ?? 0),
  },
  {
    id: 'details',
    label: 'Details',
    show: (span, scores, own) => <Details span={span} scores={scores} own={own} />,
  },
  {
    id: 'attributes',
    label: 'Attributes',
    show: (span) => <Attributes span={span} />,
    count: (span) => Object.keys(span.attributes ?? {}).length,
  },
  {
    id: 'raw',
    label: 'Raw',
    show: (span) => (
      <div className="p-4">
        <div className="mb-2 flex justify-end">
          <CopyButton text={() => JSON.stringify(span, null, 2)}>Copy JSON</CopyButton>
        </div>
        <JsonTree value={span} openTo={1} />
      </div>
    ),
  },
];

/** Everything about the span that is selected. */
export function SpanPanel({
  traceId,
  summary,
  scores,
  view,
  onView,
}: {
  traceId: string;
  summary: SpanSummary;
  /** Those of the trace. */
  scores: TraceScore[];
  view: View;
  onView: (view: View) => void;
}) {
  const answer = useQuery(spanQuery(traceId, summary.span_id));
  const span = answer.data;
  const own = scoresOf(scores, summary.span_id);
  const [popup, setPopup] = useState<'dataset' | 'score' | TraceScore>();
  const group = 'Trace';
  useShortcuts([
    { keys: 'a', label: 'Add the span to a dataset', group, run: () => setPopup('dataset') },
    { keys: 's', label: 'Score the span', group, run: () => setPopup('score') },
  ]);
  const ofOwn = (score: TraceScore) => <OwnScore traceId={traceId} score={score} onEdit={setPopup} />;
  const label = panes.map(({ id, label: text, show, count }) => ({
    id,
    label: id === 'messages' && summary.kind !== 'llm' ? 'Input and output' : text,
    count: span && count?.(span),
    content: answer.isError ? (
      <ErrorState error={answer.error} retry={() => void answer.refetch()} />
    ) : span ? (
      show(span, [...own, ...scoresOf(scores)], ofOwn)
    ) : (
      <Loading />
    ),
  }));
  return (
    <section aria-label={`Span ${summary.name}`} className="flex min-h-0 flex-1 flex-col bg-bg">
      <header className="flex min-h-11 shrink-0 items-center gap-2 px-4 py-1.5">
        <KindIcon kind={summary.kind} />
        <h2 className="truncate font-semibold">{summary.name}</h2>
        <StatusBadge status={summary.status} errorType={summary.error_type} />
        <VerdictBadge verdict={summary.verdict === 'allow' ? undefined : summary.verdict} />
        <ScoreChips scores={own} />
        <span className="num ml-auto flex shrink-0 items-center gap-3 text-xs text-muted">
          <span>{formatDuration(summary.duration_ms)}</span>
          {typeof summary.total_tokens === 'number' && <span>{formatCount(summary.total_tokens)} tok</span>}
          {typeof summary.cost === 'number' && <span>{formatCost(summary.cost)}</span>}
        </span>
        <Button size="sm" look="ghost" title="Add to dataset (a)" onClick={() => setPopup('dataset')}>
          <ListPlus size={14} aria-hidden /> <span className="max-2xl:sr-only">Add to dataset</span>
        </Button>
        <Button size="sm" look="ghost" title="Score (s)" onClick={() => setPopup('score')}>
          <Star size={14} aria-hidden /> <span className="max-2xl:sr-only">Score</span>
        </Button>
        {span && canCopyAsCurl(span) && (
          <CopyButton text={() => curlOf(span, window.location.origin)}>Copy as curl</CopyButton>
        )}
      </header>
      {/* A new span starts at its top, with nothing of the last one unfolded. */}
      <Tabs
        key={summary.span_id}
        tabs={label}
        value={view}
        onChange={(id) => onView(panes.find((pane) => pane.id === id)?.id ?? 'messages')}
      />
      {popup === 'dataset' && (
        <AddToDataset traceId={traceId} spanId={summary.span_id} onClose={() => setPopup(undefined)} />
      )}
      {popup !== undefined && popup !== 'dataset' && (
        <ScoreForm
          traceId={traceId}
          spanId={summary.span_id}
          scores={scores}
          edited={popup === 'score' ? undefined : popup}
          onClose={() => setPopup(undefined)}
        />
      )}
    </section>
  );
}
