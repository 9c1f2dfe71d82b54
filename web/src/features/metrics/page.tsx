import { useQuery } from '@tanstack/react-query';
import { getRouteApi, useNavigate } from '@tanstack/react-router';
import { Search } from 'lucide-react';
import { useRef } from 'react';

import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { inputClass } from '@/shared/ui/field';
import { Kbd } from '@/shared/ui/kbd';
import { PageHeader } from '@/shared/ui/page';
import { Skeleton, SkeletonRows } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { found } from './families';
import { About } from './parts/about';
import { MetricList } from './parts/list';
import { Try } from './parts/try';
import { metricsQuery } from './queries';

const route = getRouteApi('/house/metrics-catalogue');

/** Every metric: what it is, and a case to try it with. */
export function MetricsPage() {
  const search = route.useSearch();
  const navigate = useNavigate();
  const answer = useQuery(metricsQuery);
  const input = useRef<HTMLInputElement>(null);
  const all = answer.data?.metrics ?? [];
  const listed = found(all, search.q ?? '');
  const picked = all.find(({ name }) => name === search.metric) ?? listed[0];
  const go = (next: { q?: string; metric?: string }): void =>
    void navigate({ to: '/metrics-catalogue', search: { ...search, ...next }, replace: true });
  const move = (by: number): void => {
    const at = listed.findIndex(({ name }) => name === picked?.name);
    const next = listed[Math.min(listed.length - 1, Math.max(0, at + by))];
    if (next) go({ metric: next.name });
  };
  const group = 'Metrics';
  useShortcuts([
    { keys: '/', label: 'Search metrics', group, run: () => input.current?.focus() },
    { keys: 'j', label: 'Next metric', group, run: () => move(1) },
    { keys: 'k', label: 'Previous metric', group, run: () => move(-1) },
  ]);
  return (
    <>
      <title>Metrics · Signalbox</title>
      <PageHeader title="Metrics">
        <span className="text-sm text-muted">
          {answer.data && `${all.length} metrics that run here, without a model`}
        </span>
      </PageHeader>
      <div className="flex min-h-0 flex-1">
        <aside className="flex w-64 shrink-0 flex-col border-r border-line bg-surface max-md:w-44 xl:w-80">
          <div className="relative p-3">
            <Search
              size={14}
              className="pointer-events-none absolute top-[21px] left-[22px] text-faint"
              aria-hidden
            />
            <input
              ref={input}
              type="search"
              aria-label="Search metrics"
              placeholder="Name, input, source…"
              className={`${inputClass} pr-8 pl-8`}
              value={search.q ?? ''}
              spellCheck={false}
              onChange={(event) => go({ q: event.target.value || undefined, metric: undefined })}
            />
            {!search.q && (
              <span className="absolute top-[19px] right-5" aria-hidden>
                <Kbd>/</Kbd>
              </span>
            )}
          </div>
          <nav aria-label="Metrics" className="min-h-0 flex-1 overflow-y-auto">
            {answer.isPending && <SkeletonRows rows={12} widths={['w-40']} />}
            {answer.data && (
              <MetricList metrics={listed} picked={picked?.name} onPick={(metric) => go({ metric })} />
            )}
          </nav>
        </aside>
        <div className="min-w-0 flex-1 space-y-4 overflow-y-auto p-5">
          {answer.isError && (
            <ErrorState error={answer.error} retry={() => void answer.refetch()} className="h-full" />
          )}
          {answer.isPending && <Skeleton className="h-56 rounded-lg" />}
          {picked && (
            <>
              <About metric={picked} />
              <Try key={picked.name} metric={picked} />
            </>
          )}
        </div>
      </div>
    </>
  );
}
