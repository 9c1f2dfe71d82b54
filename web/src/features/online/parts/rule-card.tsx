import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { History, Pencil, Trash2, TriangleAlert } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import type { OnlineRule } from '@/api/types';
import { formatCost, formatCount, formatDuration } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { isLive, type Range } from '@/shared/time/range';
import { Badge } from '@/shared/ui/badge';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Dialog } from '@/shared/ui/dialog';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { formatRate } from '../draft';
import { deleteRule, rulesQuery, saveRule, summaryQuery } from '../queries';
import { Backfill, BackfillProgress } from './backfill';
import { Changes } from './changes';
import { ScorerFigures } from './figures';

function Stat({ title, children, hint }: { title: string; children: ReactNode; hint?: string }) {
  return (
    <div className="min-w-0" title={hint}>
      <div className="text-2xs text-faint">{title}</div>
      <div className="num truncate text-sm font-medium">{children}</div>
    </div>
  );
}

function Used({ one }: { one: OnlineRule }) {
  const { rule, state } = one;
  const { usd_per_day: usd, scores_per_day: scores } = rule.budget ?? {};
  const parts = [
    ...(usd === undefined
      ? []
      : [
          {
            used: state.spent_today_usd / usd,
            text: `${formatCost(state.spent_today_usd)} of ${formatCost(usd)}`,
          },
        ]),
    ...(scores === undefined
      ? []
      : [
          {
            used: state.scored_today / scores,
            text: `${formatCount(state.scored_today)} of ${formatCount(scores)} scores`,
          },
        ]),
  ];
  if (parts.length === 0)
    return <>{state.spent_today_usd > 0 ? formatCost(state.spent_today_usd) : 'no limit'}</>;
  return (
    <>
      {parts.map(({ used, text }) => (
        <span key={text} className="block">
          {text}
          <span className="mt-1 block h-1 w-full max-w-36 overflow-hidden rounded-full bg-sunken" aria-hidden>
            <span
              className={cx('block h-full rounded-full', used >= 1 ? 'bg-warn' : 'bg-accent')}
              style={{ width: `${Math.min(100, used * 100 || 0)}%` }}
            />
          </span>
        </span>
      ))}
    </>
  );
}

function Delete({ name }: { name: string }) {
  const [open, setOpen] = useState(false);
  const client = useQueryClient();
  const remove = useMutation({
    mutationFn: () => deleteRule(name),
    onSuccess: () => client.invalidateQueries({ queryKey: rulesQuery.queryKey }),
  });
  return (
    <>
      <IconButton label={`Delete ${name}`} onClick={() => setOpen(true)}>
        <Trash2 size={14} aria-hidden />
      </IconButton>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={`Delete “${name}”?`}
        description="Nothing more is scored by it. The scores that it gave stay."
      >
        {remove.isError && (
          <p role="alert" className="mb-3 text-sm text-error">
            {remove.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={() => setOpen(false)}>Keep it</Button>
          <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
            {remove.isPending ? 'Deleting…' : 'Delete the rule'}
          </Button>
        </div>
      </Dialog>
    </>
  );
}

function Switch({ one }: { one: OnlineRule }) {
  const client = useQueryClient();
  const on = one.rule.on ?? true;
  const turn = useMutation({
    mutationFn: () => saveRule({ base: one.version, rule: { ...one.rule, on: !on } }),
    onSettled: () => client.invalidateQueries({ queryKey: rulesQuery.queryKey }),
  });
  return (
    <button
      type="button"
      role="switch"
      aria-checked={on}
      aria-label={`Score by ${one.rule.name}`}
      title={turn.error?.message ?? (on ? 'On: what arrives is scored' : 'Off')}
      disabled={turn.isPending}
      onClick={() => turn.mutate()}
      className={cx(
        'relative h-5 w-9 shrink-0 rounded-full transition-colors disabled:opacity-50',
        on ? 'bg-accent' : 'bg-line-strong',
      )}
    >
      <span
        className={cx(
          'absolute top-0.5 left-0.5 size-4 rounded-full bg-surface shadow-sm transition-transform',
          on && 'translate-x-4',
        )}
      />
    </button>
  );
}

/** A rule: how it is doing, and what its scores say of all traffic. */
export function RuleCard({
  one,
  range,
  perMinute,
  onEdit,
}: {
  one: OnlineRule;
  range: Range;
  perMinute: number | undefined;
  onEdit: () => void;
}) {
  const { rule, state } = one;
  const [looks, setLooks] = useState(false);
  const summary = useQuery({
    ...summaryQuery(rule.name, range),
    refetchInterval: isLive(range) ? 15_000 : false,
  });
  const { since_start: since, last_error: failure } = state;
  return (
    <section className="rounded-lg border border-line bg-surface" aria-label={rule.name}>
      <header className="flex flex-wrap items-center gap-x-3 gap-y-2 px-4 pt-3">
        <Switch one={one} />
        <h2 className="min-w-0 truncate text-sm font-semibold">{rule.name}</h2>
        {state.problem !== undefined && (
          <Badge tone="error" title={state.problem}>
            can’t score
          </Badge>
        )}
        {state.catching_up && (
          <Badge
            tone="info"
            title="Spans were dropped or Signalbox was restarted: the store is being looked through"
          >
            catching up
          </Badge>
        )}
        <BackfillProgress one={one} />
        <div className="ml-auto flex items-center gap-1">
          <Backfill one={one} />
          <IconButton label={`Changes of ${rule.name}`} onClick={() => setLooks(true)}>
            <History size={14} aria-hidden />
          </IconButton>
          <IconButton label={`Edit ${rule.name}`} onClick={onEdit}>
            <Pencil size={14} aria-hidden />
          </IconButton>
          <Delete name={rule.name} />
        </div>
      </header>
      <div className="grid grid-cols-2 gap-x-4 gap-y-3 px-4 py-3 sm:grid-cols-3 lg:grid-cols-6">
        <Stat title="Sample">{formatRate(rule.sample_rate ?? 1)} of traces</Stat>
        <Stat title="Rate" hint="Of the last 15 minutes">
          {perMinute === undefined ? '–' : `${formatCount(perMinute)} / min`}
        </Stat>
        <Stat title="Scored today">{formatCount(state.scored_today)}</Stat>
        <Stat title="Budget used today">
          <Used one={one} />
        </Stat>
        <Stat title="Behind" hint="How long ago the oldest span started that waits for its scores">
          {state.waiting === 0 && !state.catching_up ? 'nothing waits' : formatDuration(state.lag_s * 1_000)}
        </Stat>
        <Stat
          title="Left out since start"
          hint="Scorings without an input, over the budget, or of spans whose bodies are gone"
        >
          {formatCount(since.no_input + since.over_budget + since.body_gone)}
        </Stat>
      </div>
      {(state.problem ?? failure) !== undefined && (
        <p className="mx-4 mb-3 flex items-start gap-2 rounded-md bg-error-soft px-3 py-2 text-xs text-error">
          <TriangleAlert size={13} className="mt-0.5 shrink-0" aria-hidden />
          <span className="min-w-0 break-words">
            {state.problem ?? failure?.message}
            {failure && state.problem === undefined && (
              <span title={exactTime(failure.time)}> · {formatAgo(failure.time)}</span>
            )}
          </span>
        </p>
      )}
      <div className="border-t border-line px-4 py-3">
        {summary.isPending && <Skeleton className="h-20 rounded-md" />}
        {summary.isError && !summary.data && (
          <ErrorState error={summary.error} retry={() => void summary.refetch()} className="p-2" />
        )}
        {summary.data?.scorers.length === 0 && (
          <p className="text-xs text-muted">
            No scores in this range yet{(rule.on ?? true) ? '' : ': the rule is off'}. By{' '}
            {rule.scorers.map((scorer) => scorer.name ?? scorer.metric).join(', ')}.
          </p>
        )}
        {summary.data && summary.data.scorers.length > 0 && (
          <div className="grid gap-3 sm:grid-cols-2 xl:grid-cols-3">
            {summary.data.scorers.map((scorer) => (
              <ScorerFigures key={scorer.name} scorer={scorer} />
            ))}
          </div>
        )}
        <Link
          to="/query"
          className="mt-2 inline-block rounded-sm text-2xs text-faint hover:text-ink hover:underline"
        >
          Ask more in Query: <code>scores</code> where{' '}
          <code>metadata[&apos;rule&apos;] = &apos;{rule.name}&apos;</code>
        </Link>
      </div>
      {looks && <Changes name={rule.name} onClose={() => setLooks(false)} />}
    </section>
  );
}
