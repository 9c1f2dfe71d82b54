import { Link } from '@tanstack/react-router';
import {
  ArrowLeft,
  Clock,
  Coins,
  Cpu,
  Hash,
  Layers,
  Link2,
  MessagesSquare,
  Server,
  Timer,
  UserRound,
} from 'lucide-react';
import type { ReactNode } from 'react';

import type { Trace } from '@/api/types';
import { formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { KindIcon, StatusBadge, VerdictBadge } from '@/shared/span/badges';
import { exactTime, formatTime } from '@/shared/time/format';
import { CopyButton, CopyIcon } from '@/shared/ui/copy';
import { IconButton } from '@/shared/ui/button';
import { Badge } from '@/shared/ui/badge';
import { chipIs, writeChip } from '@/shared/url/filters';

import { scoresOf } from '../scores';
import { ScoreChips } from './scores';

function Fact({
  icon,
  title,
  field,
  value,
  children,
}: {
  icon: ReactNode;
  title: string;
  field?: string;
  value?: string;
  children: ReactNode;
}) {
  const inner = (
    <>
      <span className="text-faint" aria-hidden>
        {icon}
      </span>
      <span className="num truncate">{children}</span>
    </>
  );
  const look = 'flex max-w-56 min-w-0 items-center gap-1.5 text-xs text-muted';
  if (field && value) {
    return (
      <Link
        to="/traces"
        search={{ f: [writeChip(chipIs(field, value))] }}
        title={`${title}: ${value}\nShow its traces`}
        className={`${look} rounded-sm hover:text-accent hover:underline`}
      >
        {inner}
      </Link>
    );
  }
  return (
    <span className={look} title={title}>
      {inner}
    </span>
  );
}

/** Whose trace, when, how long, how much. */
export function TraceHeader({ trace, onBack }: { trace: Trace; onBack: () => void }) {
  const root = trace.spans.find((span) => !span.parent_span_id);
  return (
    <header className="shrink-0 border-b border-line bg-surface px-4 py-2.5">
      <div className="flex items-center gap-2">
        <IconButton label="Back to the list (esc)" onClick={onBack}>
          <ArrowLeft size={16} />
        </IconButton>
        <KindIcon kind={root?.kind ?? trace.kind} size={15} />
        <h1 className="truncate text-lg font-semibold tracking-tight">{trace.name}</h1>
        <StatusBadge status={trace.status} errorType={trace.error_type} />
        <VerdictBadge verdict={trace.verdict === 'allow' ? undefined : trace.verdict} />
        <span className="ml-auto flex shrink-0 items-center gap-1">
          <span className="hidden items-center font-mono text-xs text-faint xl:flex">
            {trace.trace_id.slice(0, 8)}…<CopyIcon text={trace.trace_id} label="Copy the trace id" />
          </span>
          <CopyButton text={() => window.location.href}>Copy link</CopyButton>
        </span>
      </div>
      <div className="mt-1.5 flex flex-wrap items-center gap-x-4 gap-y-1 pl-9">
        <Fact icon={<Clock size={13} />} title={exactTime(trace.start_time)}>
          {formatTime(trace.start_time)}
        </Fact>
        <Fact icon={<Timer size={13} />} title="Duration">
          {formatDuration(trace.duration_ms)}
          {typeof trace.ttft_ms === 'number' && (
            <span className="text-faint"> · first token {formatDuration(trace.ttft_ms)}</span>
          )}
        </Fact>
        {trace.total_tokens !== undefined && (
          <Fact icon={<Hash size={13} />} title="Tokens in and out">
            {formatCount(trace.input_tokens)} → {formatCount(trace.output_tokens)} tokens
          </Fact>
        )}
        {trace.total_tokens !== undefined && (
          <Fact
            icon={<Coins size={13} />}
            title={trace.cost === undefined ? 'The cost is unknown: there is no price for the model' : 'Cost'}
          >
            {formatCost(trace.cost)}
          </Fact>
        )}
        <Fact icon={<Layers size={13} />} title="Spans">
          {formatCount(trace.span_count)} {trace.span_count === 1 ? 'span' : 'spans'}
          {trace.error_count > 0 && <span className="text-error"> · {trace.error_count} failed</span>}
        </Fact>
        {trace.models.map((model) => (
          <Fact key={model} icon={<Cpu size={13} />} title="Model" field="model" value={model}>
            {model}
          </Fact>
        ))}
        {trace.user_id && (
          <Fact icon={<UserRound size={13} />} title="User" field="user_id" value={trace.user_id}>
            {trace.user_id}
          </Fact>
        )}
        {trace.session_id && (
          <Fact
            icon={<MessagesSquare size={13} />}
            title="Session"
            field="session_id"
            value={trace.session_id}
          >
            {trace.session_id}
          </Fact>
        )}
        {trace.service_name && (
          <Fact icon={<Server size={13} />} title="Service" field="service_name" value={trace.service_name}>
            {trace.service_name}
          </Fact>
        )}
        <Fact icon={<Link2 size={13} />} title="How it came here">
          {trace.source === 'otlp' ? 'OpenTelemetry' : trace.source}
          {trace.environment && <span className="text-faint"> · {trace.environment}</span>}
        </Fact>
        {trace.tags.map((tag) => (
          <Badge key={tag}>{tag}</Badge>
        ))}
        <ScoreChips scores={scoresOf(trace.scores)} />
      </div>
    </header>
  );
}
