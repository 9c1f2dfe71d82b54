import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowUpRight, RefreshCw } from 'lucide-react';
import { useState } from 'react';

import { exactTime, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';

import {
  type Change,
  changeTone,
  type Difference,
  type Example,
  type FullIncident,
  gapsOf,
  isWeb,
  relative,
} from '../context';
import { lookInto } from '../queries';
import { driftCheckOf } from '../state';
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
    <>
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
      <p className="mt-1.5 flex items-center gap-1.5 text-xs text-faint" aria-hidden>
        <span className="h-1.5 w-4 rounded-full bg-error" /> share of the bad rows
        <span className="ml-2 h-1 w-4 rounded-full bg-line-strong" /> share before
      </p>
    </>
  );
}

/** Examples that are shown before somebody asks for all. */
const FIRST = 5;

function Examples({ examples }: { examples: Example[] }) {
  const [all, setAll] = useState(false);
  const more = examples.length - FIRST;
  return (
    <>
      <ul className="divide-y divide-line rounded-md border border-line text-sm">
        {examples.slice(0, all ? undefined : FIRST).map((one) => (
          <li key={`${one.trace_id} ${one.span_id}`}>
            <Link
              to="/traces/$traceId"
              params={{ traceId: one.trace_id }}
              search={{ span: one.span_id }}
              className="flex items-center gap-3 px-3 py-2 transition-colors hover:bg-hover"
            >
              <span className="min-w-0 flex-1 truncate text-muted" title={one.text}>
                {one.text}
              </span>
              {/* Traces of the same minute may begin alike. */}
              <span className="shrink-0 font-mono text-xs text-accent">{one.trace_id.slice(-8)}</span>
              <span className="num shrink-0 text-xs text-faint" title={exactTime(one.at)}>
                {formatTime(one.at)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <Button look="ghost" size="sm" className="mt-1" aria-expanded={all} onClick={() => setAll(!all)}>
          {all ? 'Fewer' : `${more} more`}
        </Button>
      )}
    </>
  );
}

/** In what the bad calls differ, or why that can't be said. */
function WhatDiffers({ incident }: { incident: FullIncident }) {
  const { context, monitor } = incident;
  const { differences = [] } = context ?? {};
  const check = driftCheckOf(monitor);
  if (check !== undefined)
    return (
      <p className="text-sm text-muted">
        <Link to="/drift" search={{ name: check }} className="text-accent hover:underline">
          Drift check {check}
        </Link>{' '}
        shows both distributions, and examples of both sides.
      </p>
    );
  if (differences.length > 0) return <Differences differences={differences} />;
  const [gap] = gapsOf(context, 'differences');
  if (!context) return <p className="text-sm text-muted">Nobody has looked yet.</p>;
  return (
    <p className="text-sm text-muted">
      {gap ? `That can’t be said: ${gap}.` : 'No attribute stands out by more than chance.'}
    </p>
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
  const { changes = [], examples = [], gaps = [] } = context ?? {};
  // What differs says itself why it is missing.
  const others = gaps.filter((gap) => !gap.startsWith('differences: '));
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
          <WhatDiffers incident={incident} />
        </>
      )}
      {examples.length > 0 && (
        <>
          <Heading>Examples</Heading>
          <Examples examples={examples} />
        </>
      )}
      {others.length > 0 && (
        <ul className="mt-2 text-xs text-warn">
          {others.map((gap) => (
            <li key={gap}>Not found out: {gap}</li>
          ))}
        </ul>
      )}
      <div className="mt-3 flex flex-wrap items-center gap-2 text-xs text-faint">
        <Button size="sm" disabled={look.isPending} onClick={() => look.mutate()}>
          <RefreshCw size={12} aria-hidden className={look.isPending ? 'animate-spin' : undefined} />
          {look.isPending ? 'Looking…' : context ? 'Look again' : 'Look now'}
        </Button>
        {context && (
          <span className="num" title={exactTime(context.at)}>
            looked at {formatTime(context.at)}
          </span>
        )}
        {look.isError && (
          <span role="alert" className="text-error">
            {look.error.message}
          </span>
        )}
      </div>
    </section>
  );
}
