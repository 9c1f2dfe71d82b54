import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowUpRight, RefreshCw } from 'lucide-react';

import { exactTime, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';

import {
  type Change,
  changeTone,
  type Difference,
  type Example,
  type FullIncident,
  isWeb,
  pieces,
  relative,
} from '../context';
import { lookInto } from '../queries';
import { Heading } from './heading';

function Changes({ changes, openedAt }: { changes: Change[]; openedAt: string }) {
  return (
    <ul className="divide-y divide-line rounded-md border border-line text-sm">
      {changes.map((change) => (
        <li key={change.id} className="flex items-center gap-3 px-3 py-2">
          <Badge tone={changeTone[change.kind]} className="w-20 shrink-0 justify-center">
            {change.kind}
          </Badge>
          <span className="min-w-0 flex-1 break-words">
            {isWeb(change.url) ? (
              <a
                href={change.url}
                target="_blank"
                rel="noreferrer"
                className="inline-flex items-center gap-1 text-accent hover:underline"
              >
                {change.title} <ArrowUpRight size={12} aria-hidden />
              </a>
            ) : (
              <Coded text={change.title} />
            )}
            {change.by && <span className="text-faint"> by {change.by}</span>}
          </span>
          <span className="num shrink-0 text-xs text-faint" title={exactTime(change.at)}>
            {relative(change.at, openedAt)}
          </span>
        </li>
      ))}
    </ul>
  );
}

function Coded({ text }: { text: string }) {
  return pieces(text).map((piece, i) =>
    piece.code ? (
      <code key={i} className="rounded-sm bg-sunken px-1 py-0.5 font-mono text-xs break-all">
        {piece.text}
      </code>
    ) : (
      <span key={i}>{piece.text}</span>
    ),
  );
}

/** Two shares as bars, one on the other: now, and before. */
function Bars({ now, before }: { now: number; before: number }) {
  const width = (share: number): string => `${Math.max(share * 100, share > 0 ? 1 : 0)}%`;
  return (
    <span aria-hidden className="mt-1.5 grid gap-0.5">
      <span className="block h-1.5 overflow-hidden rounded-full bg-sunken">
        <span className="block h-full rounded-full bg-error" style={{ width: width(now) }} />
      </span>
      <span className="block h-1 overflow-hidden rounded-full bg-sunken">
        <span className="block h-full rounded-full bg-line-strong" style={{ width: width(before) }} />
      </span>
    </span>
  );
}

function Differences({ differences }: { differences: Difference[] }) {
  return (
    <ul className="divide-y divide-line rounded-md border border-line text-sm">
      {differences.map((one) => (
        <li
          key={`${one.field}=${one.value}`}
          className="px-3 py-2"
          title={`${one.rows} rows · p = ${one.p.toExponential(1)}, corrected for all values looked at`}
        >
          <Coded text={one.text} />
          <Bars now={one.share} before={one.share_before} />
        </li>
      ))}
    </ul>
  );
}

function Examples({ examples }: { examples: Example[] }) {
  return (
    <ul className="divide-y divide-line rounded-md border border-line text-sm">
      {examples.map((one) => (
        <li key={one.trace_id}>
          <Link
            to="/traces/$traceId"
            params={{ traceId: one.trace_id }}
            search={{ span: one.span_id }}
            className="flex items-center gap-3 px-3 py-2 transition-colors hover:bg-hover"
          >
            <span className="shrink-0 font-mono text-xs text-accent">{one.trace_id.slice(0, 8)}</span>
            <span className="min-w-0 flex-1 truncate text-muted" title={one.text}>
              {one.text}
            </span>
            <span className="num shrink-0 text-xs text-faint" title={exactTime(one.at)}>
              {formatTime(one.at)}
            </span>
          </Link>
        </li>
      ))}
    </ul>
  );
}

/** Why it may have happened: what was changed, what differs, and traces that show it. */
export function Beside({ incident }: { incident: FullIncident }) {
  const queryClient = useQueryClient();
  const look = useMutation({
    mutationFn: () => lookInto(incident.id),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['incidents'] }),
  });
  const { context } = incident;
  const { changes = [], differences = [], examples = [], gaps = [] } = context ?? {};
  return (
    <section aria-label="What may have caused it">
      <Heading>What was changed before</Heading>
      {changes.length > 0 ? (
        <Changes changes={changes} openedAt={incident.opened_at} />
      ) : (
        <p className="text-sm text-muted">
          {context ? 'Nothing that Signalbox knows of, in the hour before.' : 'Nobody has looked yet.'}
        </p>
      )}
      {!incident.external && (
        <>
          <Heading>What differs</Heading>
          {differences.length > 0 ? (
            <Differences differences={differences} />
          ) : (
            <p className="text-sm text-muted">
              {context ? 'No attribute stands out by more than chance.' : 'Nobody has looked yet.'}
            </p>
          )}
        </>
      )}
      {examples.length > 0 && (
        <>
          <Heading>Examples</Heading>
          <Examples examples={examples} />
        </>
      )}
      {gaps.length > 0 && (
        <ul className="mt-2 list-inside list-disc text-xs text-faint">
          {gaps.map((gap) => (
            <li key={gap}>{gap}</li>
          ))}
        </ul>
      )}
      <div className="mt-2 flex items-center gap-2 text-xs text-faint">
        <Button look="ghost" size="sm" disabled={look.isPending} onClick={() => look.mutate()}>
          <RefreshCw size={12} aria-hidden /> Look again
        </Button>
        {context && (
          <span className="num" title={exactTime(context.at)}>
            looked at {formatTime(context.at)}
          </span>
        )}
        {look.isError && <span className="text-error">{look.error.message}</span>}
      </div>
    </section>
  );
}
