import { Link } from '@tanstack/react-router';
import {
  columnResizingFeature,
  columnSizingFeature,
  columnVisibilityFeature,
  createColumnHelper,
  tableFeatures,
} from '@tanstack/react-table';
import type { ReactNode } from 'react';

import type { TraceSummary } from '@/api/types';
import { dash, formatCostShort, formatCount, formatDuration } from '@/shared/format/numbers';
import { KindIcon, StatusBadge, VerdictBadge } from '@/shared/span/badges';
import { kindOf } from '@/shared/span/kinds';
import { exactTime, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';

export const features = tableFeatures({
  columnVisibilityFeature,
  columnSizingFeature,
  columnResizingFeature,
});

const helper = createColumnHelper<typeof features, TraceSummary>();

interface Spec {
  id: string;
  title: string;
  size: number;
  /** Numbers stand on the right. */
  right?: boolean;
  /** Takes the room that is left. */
  grow?: boolean;
  hidden?: boolean;
  cell: (trace: TraceSummary) => ReactNode;
}

const faint = <span className="text-faint">{dash}</span>;
const plain = (value: string | null | undefined): ReactNode =>
  value ? (
    <span className="truncate" title={value}>
      {value}
    </span>
  ) : (
    faint
  );
const mono = (value: string | null | undefined): ReactNode =>
  value ? (
    <span className="truncate font-mono text-xs text-muted" title={value}>
      {value}
    </span>
  ) : (
    faint
  );

/** The piece of text that answers the search, hits marked. Places are counted in characters, not in UTF-16. */
function Highlight({ snippet, ranges }: { snippet: string; ranges: number[][] }) {
  const characters = Array.from(snippet);
  const pieces: ReactNode[] = [];
  let at = 0;
  for (const [start = 0, end = 0] of ranges) {
    pieces.push(characters.slice(at, start).join(''));
    pieces.push(
      <mark key={start} className="rounded-xs bg-warn-soft text-inherit">
        {characters.slice(start, end).join('')}
      </mark>,
    );
    at = end;
  }
  pieces.push(characters.slice(at).join(''));
  return (
    <span className="truncate" title={snippet}>
      {pieces}
    </span>
  );
}

function Preview({ trace }: { trace: TraceSummary }) {
  if (trace.search_highlight) return <Highlight {...trace.search_highlight} />;
  if (!trace.input_preview && !trace.output_preview) return faint;
  return (
    <span className="flex min-w-0 items-center gap-2">
      <span className="min-w-0 flex-1 truncate" title={trace.input_preview ?? ''}>
        {trace.input_preview ?? dash}
      </span>
      <span className="shrink-0 text-faint" aria-label="answered">
        →
      </span>
      <span className="min-w-0 flex-1 truncate text-muted" title={trace.output_preview ?? ''}>
        {trace.output_preview ?? dash}
      </span>
    </span>
  );
}

function Models({ models }: { models: string[] }) {
  const [first, ...rest] = models;
  if (!first) return faint;
  return (
    <span className="flex min-w-0 items-center gap-1" title={models.join('\n')}>
      <span className="truncate">{first}</span>
      {rest.length > 0 && <Badge>+{rest.length}</Badge>}
    </span>
  );
}

const specs: Spec[] = [
  {
    id: 'time',
    title: 'Time',
    size: 128,
    cell: (trace) => (
      <time dateTime={trace.start_time} title={exactTime(trace.start_time)} className="num text-muted">
        {formatTime(trace.start_time)}
      </time>
    ),
  },
  {
    id: 'name',
    title: 'Name',
    size: 204,
    cell: (trace) => (
      <span className="flex min-w-0 items-center gap-2">
        <KindIcon kind={trace.kind} />
        <Link
          to="/traces/$traceId"
          params={{ traceId: trace.trace_id }}
          onClick={(event) => event.stopPropagation()}
          className="truncate rounded-sm font-medium hover:underline"
          title={`${kindOf(trace.kind).label}: ${trace.name}`}
        >
          {trace.name}
        </Link>
        {trace.span_count > 1 && (
          <span className="num shrink-0 text-2xs text-faint">{formatCount(trace.span_count)}</span>
        )}
      </span>
    ),
  },
  {
    id: 'preview',
    title: 'Input → output',
    size: 250,
    grow: true,
    cell: (trace) => <Preview trace={trace} />,
  },
  { id: 'model', title: 'Model', size: 140, cell: (trace) => <Models models={trace.models} /> },
  {
    id: 'latency',
    title: 'Latency',
    size: 76,
    right: true,
    cell: (trace) => formatDuration(trace.duration_ms),
  },
  {
    id: 'ttft',
    title: 'TTFT',
    size: 84,
    right: true,
    hidden: true,
    cell: (trace) => formatDuration(trace.ttft_ms),
  },
  {
    id: 'tokens',
    title: 'Tokens',
    size: 74,
    right: true,
    cell: (trace) => (
      <span title={`${formatCount(trace.input_tokens)} in, ${formatCount(trace.output_tokens)} out`}>
        {formatCount(trace.total_tokens)}
      </span>
    ),
  },
  { id: 'cost', title: 'Cost', size: 82, right: true, cell: (trace) => formatCostShort(trace.cost) },
  {
    id: 'status',
    title: 'Status',
    size: 150,
    cell: (trace) => (
      <span className="flex min-w-0 items-center gap-1.5">
        <StatusBadge status={trace.status} errorType={trace.error_type} />
        {trace.status !== 'error' && trace.error_count > 0 && (
          <span className="num text-xs text-error" title={`${trace.error_count} spans under it failed`}>
            {trace.error_count} failed
          </span>
        )}
      </span>
    ),
  },
  {
    id: 'verdict',
    title: 'Guardrails',
    size: 100,
    cell: (trace) => (trace.verdict ? <VerdictBadge verdict={trace.verdict} /> : faint),
  },
  { id: 'user', title: 'User', size: 116, hidden: true, cell: (trace) => plain(trace.user_id) },
  { id: 'session', title: 'Session', size: 130, hidden: true, cell: (trace) => mono(trace.session_id) },
  { id: 'service', title: 'Service', size: 130, hidden: true, cell: (trace) => plain(trace.service_name) },
  {
    id: 'environment',
    title: 'Environment',
    size: 110,
    hidden: true,
    cell: (trace) => plain(trace.environment),
  },
  {
    id: 'tags',
    title: 'Tags',
    size: 150,
    hidden: true,
    cell: (trace) =>
      trace.tags.length > 0 ? (
        <span className="flex gap-1 overflow-hidden">
          {trace.tags.map((tag) => (
            <Badge key={tag}>{tag}</Badge>
          ))}
        </span>
      ) : (
        faint
      ),
  },
  { id: 'source', title: 'Source', size: 90, hidden: true, cell: (trace) => plain(trace.source) },
  { id: 'trace_id', title: 'Trace id', size: 150, hidden: true, cell: (trace) => mono(trace.trace_id) },
];

const byId = new Map(specs.map((spec) => [spec.id, spec]));

export const specOf = (id: string): Spec | undefined => byId.get(id);
export const columnTitles = specs.map(({ id, title }) => ({ id, title }));

export const columns = helper.columns(
  specs.map((spec) =>
    helper.display({
      id: spec.id,
      header: spec.title,
      size: spec.size,
      minSize: 60,
      maxSize: 900,
      cell: ({ row }) => spec.cell(row.original),
    }),
  ),
);

export const defaultVisibility: Record<string, boolean> = Object.fromEntries(
  specs.filter((spec) => spec.hidden).map((spec) => [spec.id, false]),
);
