import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { getRouteApi, Link, useNavigate } from '@tanstack/react-router';
import { ChevronRight, GitCompareArrows, Trash2 } from 'lucide-react';
import { useState } from 'react';

import type { Run } from '@/api/types';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { useNow } from '@/shared/time/use-now';
import { Button, IconButton } from '@/shared/ui/button';
import { Kbd } from '@/shared/ui/kbd';
import { Card, PageHeader } from '@/shared/ui/page';
import { Skeleton, SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { metricsOf } from './figures';
import { type RunOrder, sortedRuns } from './order';
import { Delete } from './parts/delete';
import { RunsTable } from './parts/runs-table';
import { Trend } from './parts/trend';
import { deleteExperiment, deleteRun, experimentQuery, pinBaseline, unpinBaseline } from './queries';

const route = getRouteApi('/house/experiments/$name');
const mostCompared = 6;

/** The runs to compare with the baseline first, whichever were ticked when. */
function comparedIds(picked: string[], baseline?: string): string[] {
  const rest = picked.filter((id) => id !== baseline);
  return baseline !== undefined && picked.includes(baseline) ? [baseline, ...rest] : rest;
}

/** An experiment: its metrics over its runs, and the runs to compare. */
export function ExperimentPage() {
  const { name } = route.useParams();
  const navigate = useNavigate();
  const client = useQueryClient();
  const answer = useQuery(experimentQuery(name));
  const [picked, setPicked] = useState<string[]>([]);
  const [order, setOrder] = useState<RunOrder>({ by: 'started', down: true });
  const [at, setAt] = useState<string>();
  const [gone, setGone] = useState<Run | 'experiment'>();
  const now = useNow(30_000);
  const runs = answer.data?.latest_runs ?? [];
  const baseline = runs.find(({ id }) => id === answer.data?.baseline);
  const metrics = metricsOf(runs);
  const pin = useMutation({
    mutationFn: (run: Run) =>
      run.id === baseline?.id ? unpinBaseline(name) : pinBaseline({ name, run: run.id }),
    onSuccess: () => client.invalidateQueries({ queryKey: ['experiments'] }),
  });
  const pick = (id: string): void =>
    setPicked(
      picked.includes(id) ? picked.filter((one) => one !== id) : [...picked, id].slice(-mostCompared),
    );
  const compare = (): void => {
    const ids = comparedIds(picked, baseline?.id);
    if (ids.length < 2) return;
    void navigate({
      to: '/experiments/$name/compare',
      params: { name },
      search: { ids: ids.join(','), baseline: ids[0] },
    });
  };
  const sorted = sortedRuns(runs, order);
  const here = sorted.find(({ id }) => id === at);
  const move = (by: number): void => {
    const place = sorted.findIndex(({ id }) => id === at);
    setAt(sorted[Math.min(sorted.length - 1, Math.max(0, place + by))]?.id);
  };
  const group = 'Experiment';
  useShortcuts([
    { keys: 'j', label: 'Next run', group, run: () => move(1) },
    { keys: 'k', label: 'Previous run', group, run: () => move(-1) },
    { keys: 'x', label: 'Tick the run', group, run: () => here && pick(here.id) },
    { keys: 'b', label: 'Pin the run as the baseline', group, run: () => here && pin.mutate(here) },
    { keys: 'c', label: 'Compare what is ticked', group, run: compare },
    { keys: 'escape', label: 'Tick none', group, run: () => setPicked([]) },
  ]);
  return (
    <>
      <title>{`${name} · Signalbox`}</title>
      <PageHeader title={name}>
        <Link
          to="/experiments"
          className="order-first mr-auto flex items-center text-sm text-muted hover:text-ink"
        >
          <ChevronRight size={14} className="rotate-180" aria-hidden /> Experiments
        </Link>
        <IconButton label="Delete the experiment" onClick={() => setGone('experiment')}>
          <Trash2 size={15} aria-hidden />
        </IconButton>
        <Button look="primary" disabled={picked.length < 2} onClick={compare}>
          <GitCompareArrows size={14} aria-hidden />
          {picked.length < 2 ? 'Tick two runs to compare' : `Compare ${picked.length} runs`}
        </Button>
      </PageHeader>
      <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-5">
        {answer.isError && !answer.data && (
          <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
        )}
        {answer.isPending && (
          <>
            <Skeleton className="h-32 rounded-lg" />
            <SkeletonRows rows={6} widths={['w-48', 'w-16', 'w-16', 'w-16']} />
          </>
        )}
        {pin.isError && <ErrorState error={pin.error} className="rounded-lg border border-line bg-surface" />}
        {runs.some(({ summary }) => summary) && (
          <section
            aria-label="Metrics over the runs"
            className="grid grid-cols-[repeat(auto-fill,minmax(240px,1fr))] gap-3"
          >
            {metrics.map((metric) => (
              <Trend key={metric} metric={metric} runs={runs} baseline={baseline} />
            ))}
          </section>
        )}
        {answer.data && (
          <Card
            title="Runs"
            aside={
              <span className="flex items-center gap-1.5 pr-2 text-xs text-faint max-md:hidden">
                <Kbd>j</Kbd>
                <Kbd>k</Kbd> move <Kbd>x</Kbd> tick <Kbd>c</Kbd> compare <Kbd>b</Kbd> baseline
              </span>
            }
          >
            {runs.length === 0 ? (
              <EmptyState title="No runs left">
                <p>
                  <code className="font-mono">signalbox eval push results.jsonl --experiment {name}</code>
                </p>
              </EmptyState>
            ) : (
              <div className="overflow-x-auto border-t border-line">
                <RunsTable
                  {...{ runs, metrics, baseline, picked, order, at, now }}
                  onPick={pick}
                  onOrder={setOrder}
                  onPin={(run) => pin.mutate(run)}
                  onDelete={setGone}
                />
              </div>
            )}
          </Card>
        )}
      </div>
      {gone === 'experiment' && (
        <Delete
          title={`Delete ${name}?`}
          what="Its runs and all their results go with it, for good."
          remove={() => deleteExperiment(name)}
          onClose={() => setGone(undefined)}
          onDone={() => void navigate({ to: '/experiments' })}
        />
      )}
      {gone !== undefined && gone !== 'experiment' && (
        <Delete
          title={`Delete the run ${gone.name}?`}
          what="Its results go with it, for good."
          remove={() => deleteRun(gone.id)}
          onClose={() => setGone(undefined)}
          onDone={() => setPicked(picked.filter((id) => id !== gone.id))}
        />
      )}
    </>
  );
}
