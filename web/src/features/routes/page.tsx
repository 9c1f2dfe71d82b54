import { queryOptions, useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Split } from 'lucide-react';

import { api, call } from '@/api/client';
import type { RouteStatus, TargetStatus } from '@/api/types';
import { every } from '@/shared/data/every';
import { dash, formatCount, formatDuration, formatShare } from '@/shared/format/numbers';
import { Badge, type Tone } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { chipIs, writeChip } from '@/shared/url/filters';

import { Detour } from './detour';
import { Probes } from './probe';
import { ageOf, isAsked, shareOf, stateOf, weightOf } from './state';

const routesQuery = queryOptions({
  queryKey: ['routes'],
  queryFn: ({ signal }) => call(api.GET('/api/v1/routes', { signal })),
  refetchInterval: every(5_000),
});

const example = `routes:
  - name: chat
    strategy: priority
    targets:
      - {provider: openai, model: gpt-4o-mini}
      - {provider: anthropic, model: claude-haiku-4-5}`;

const tones: Record<ReturnType<typeof stateOf>['kind'], Tone> = {
  up: 'ok',
  trying: 'warn',
  left: 'error',
  off: 'neutral',
};
const cell = 'px-3 py-2 text-left align-top first:pl-4 last:pr-4';

function Target({ target, route }: { target: TargetStatus; route: RouteStatus }) {
  const { targets } = route;
  const state = stateOf(target);
  const share = shareOf(target, targets);
  return (
    <tr>
      <td className={cell}>
        <div className="font-mono text-xs break-all">
          <span className="text-faint">{target.provider}/</span>
          {target.model}
        </div>
        {target.when && <div className="mt-0.5 font-mono text-2xs text-muted">when {target.when}</div>}
        {target.context_tokens !== undefined && (
          <div className="mt-0.5 text-2xs text-muted">up to {formatCount(target.context_tokens)} tokens</div>
        )}
        {target.complexity_up_to !== undefined && (
          <div className="mt-0.5 text-2xs text-muted">up to complexity {target.complexity_up_to}</div>
        )}
        {target.examples !== undefined && (
          <div className="mt-0.5 text-2xs text-muted">{formatCount(target.examples)} examples</div>
        )}
        {target.arm && (
          <div className="mt-0.5">
            <Badge tone="info">arm {target.arm}</Badge>
          </div>
        )}
      </td>
      <td className={cell}>
        <Badge tone={tones[state.kind]} title={state.why}>
          {state.label}
        </Badge>
        {!isAsked(route, target) && (
          <Badge className="ml-1.5" title="The route’s calls go elsewhere for now">
            not asked now
          </Badge>
        )}
        {state.why && <div className="mt-1 max-w-72 text-2xs text-muted">{state.why}</div>}
        <Probes target={target} />
      </td>
      <td className={cx(cell, 'num whitespace-nowrap')}>
        <div className="flex items-center gap-2" title={weightOf(target)}>
          <div className="h-1.5 w-16 overflow-hidden rounded-full bg-sunken" aria-hidden>
            <div className="h-full bg-accent" style={{ width: `${share * 100}%` }} />
          </div>
          {targets.some((one) => one.answered > 0) ? formatShare(share) : dash}
        </div>
        {target.weight_now < target.weight && (
          <div className="mt-0.5 text-2xs text-warn">{weightOf(target)}</div>
        )}
      </td>
      <Figure ms={target.latency_ms} age={target.latency_age_ms} unknown="No call answered since the start" />
      <Figure
        ms={target.first_content_ms}
        age={target.first_content_age_ms}
        unknown="No stream answered since the start"
      />
      <td className={cx(cell, 'num whitespace-nowrap')}>
        {target.in_flight}
        {target.max_concurrency !== undefined && (
          <span className="text-faint"> of {target.max_concurrency}</span>
        )}
        {target.waiting > 0 && <div className="text-2xs text-warn">{formatCount(target.waiting)} wait</div>}
      </td>
      <td className={cx(cell, 'num whitespace-nowrap')}>
        {formatCount(target.answered)}
        {target.failed > 0 && <div className="text-2xs text-error">{formatCount(target.failed)} failed</div>}
      </td>
    </tr>
  );
}

/** A time that was measured, and when, if that is long ago. */
function Figure({ ms, age, unknown }: { ms: number | undefined; age: number | undefined; unknown: string }) {
  const old = ageOf(age);
  return (
    <td className={cx(cell, 'num whitespace-nowrap')}>
      {ms === undefined ? (
        <span className="text-faint" title={unknown} aria-label={unknown} role="img">
          {dash}
        </span>
      ) : (
        formatDuration(ms)
      )}
      {old && <div className="text-2xs text-muted">{old}</div>}
    </td>
  );
}

/** The arms of an experiment: what share of the callers each gets, and how many calls that were. */
function Arms({ route, arms }: { route: string; arms: NonNullable<RouteStatus['arms']> }) {
  const weights = arms.reduce((sum, arm) => sum + arm.weight, 0);
  const calls = arms.reduce((sum, arm) => sum + arm.calls, 0);
  return (
    <ul
      className="grid grid-cols-[repeat(auto-fill,minmax(220px,1fr))] gap-2 px-4 pb-3"
      aria-label="Arms of the experiment"
    >
      {arms.map((arm) => (
        <li key={arm.name} className="rounded-md bg-sunken px-3 py-2 text-xs">
          <div className="flex items-baseline justify-between gap-2">
            <span className="truncate font-mono font-medium">{arm.name}</span>
            <span className="num text-muted" title="What its weight gives it">
              {formatShare(weights > 0 ? arm.weight / weights : 0)}
            </span>
          </div>
          <div className="my-1.5 h-1.5 overflow-hidden rounded-full bg-line" aria-hidden>
            <div
              className="h-full bg-accent"
              style={{ width: `${calls > 0 ? (arm.calls / calls) * 100 : 0}%` }}
            />
          </div>
          <div className="num flex justify-between text-2xs text-muted">
            <span>
              {formatCount(arm.calls)} {arm.calls === 1 ? 'call' : 'calls'}
              {calls > 0 && ` · ${formatShare(arm.calls / calls)}`}
            </span>
            <Link
              to="/traces"
              search={{
                f: [
                  writeChip(chipIs('attributes.signalbox.route.name', route)),
                  writeChip(chipIs('attributes.signalbox.route.arm', arm.name)),
                ],
              }}
              className="font-medium text-accent hover:underline"
            >
              Traces
            </Link>
          </div>
        </li>
      ))}
    </ul>
  );
}

/** Columns, as wide in one route as in the next. */
const heads = [
  { title: 'Target', width: 'w-[20%]' },
  { title: 'State', width: 'w-[22%]' },
  { title: 'Share', width: 'w-[15%]' },
  { title: 'Latency', width: 'w-[11%]' },
  { title: 'First content', width: 'w-[12%]' },
  { title: 'In flight', width: 'w-[9%]' },
  { title: 'Answered', width: 'w-[11%]' },
];

function RouteCard({ route }: { route: RouteStatus }) {
  return (
    <article className="overflow-hidden rounded-lg border border-line bg-surface">
      <header className="flex flex-wrap items-center gap-2 px-4 py-3">
        <Split size={15} className="text-accent" aria-hidden />
        <h2 className="font-mono font-semibold">{route.name}</h2>
        <Badge tone="info">{route.strategy}</Badge>
        {route.hedge_after_ms !== undefined && (
          <Badge>hedged after {formatDuration(route.hedge_after_ms)}</Badge>
        )}
        {route.mirror && <Badge>mirrored to {route.mirror}</Badge>}
        {route.on_disconnect === 'drain' && (
          <Badge title="A call whose caller hangs up is read to its end">drains</Badge>
        )}
        <span className="num ml-auto flex items-center gap-3 text-xs text-muted">
          <span>
            {formatCount(route.calls)} {route.calls === 1 ? 'call' : 'calls'} since the start
          </span>
          <Link
            to="/traces"
            search={{ f: [writeChip(chipIs('attributes.signalbox.route.name', route.name))] }}
            className="font-medium text-accent hover:underline"
          >
            Traces
          </Link>
        </span>
      </header>
      <Detour route={route} />
      {route.arms && <Arms route={route.name} arms={route.arms} />}
      <div className="scroll-hint overflow-x-auto border-t border-line">
        <table className="w-full min-w-[48rem] table-fixed text-sm">
          <thead className="border-b border-line text-xs text-faint">
            <tr>
              {heads.map(({ title, width }) => (
                <th key={title} scope="col" className={cx(cell, 'font-medium whitespace-nowrap', width)}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {route.targets.map((target) => (
              <Target
                key={`${target.provider}/${target.model} ${target.arm ?? ''} ${target.when ?? ''}`}
                target={target}
                route={route}
              />
            ))}
          </tbody>
        </table>
      </div>
    </article>
  );
}

export function RoutesPage() {
  const answer = useQuery(routesQuery);
  const routes = answer.data?.routes;
  return (
    <>
      <title>Routes · Signalbox</title>
      <PageHeader title="Routes" />
      <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-5">
        {answer.isPending && <Skeleton className="h-48 rounded-lg" />}
        {answer.isError && !answer.data && (
          <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
        )}
        {routes?.length === 0 && (
          <EmptyState icon={<Split size={22} />} title="No routes yet" className="py-16">
            <p className="mb-4">
              A route is a name for several targets: callers ask for it as for a model, and a failing provider
              costs them nothing. Write one in signalbox.yaml; a running Signalbox takes it over by itself:
            </p>
            <pre className="overflow-x-auto rounded-md border border-line bg-sunken p-3 text-left font-mono text-xs">
              {example}
            </pre>
          </EmptyState>
        )}
        {routes?.map((route) => (
          <RouteCard key={route.name} route={route} />
        ))}
      </div>
    </>
  );
}
