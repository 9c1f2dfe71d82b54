import { useQuery } from '@tanstack/react-query';
import { ChevronLeft, ChevronRight, Diff } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import type { ComparedItem, ComparedItems, Comparison } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Kbd } from '@/shared/ui/kbd';
import { keepInView } from '@/shared/ui/keep-in-view';
import { Card } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { formatSigned, runColors, titleOf } from '../figures';
import { comparedItemsQuery } from '../queries';
import { type CompareSearch, type Show, shows } from '@/shared/url/compare-search';
import { ItemView } from './item';

const pageSize = 50;
const labels: Record<Show, string> = {
  all: 'All',
  worse: 'Worse',
  better: 'Better',
  changed: 'Changed',
  failed: 'No answer',
};

function Filter({ show, told, onShow }: { show: Show; told?: ComparedItems; onShow: (show: Show) => void }) {
  const counts: Partial<Record<Show, number>> = { worse: told?.worse, better: told?.better };
  return (
    <div role="radiogroup" aria-label="Which items" className="flex rounded-md border border-line p-0.5">
      {shows.map((one) => (
        <button
          key={one}
          type="button"
          role="radio"
          aria-checked={one === show}
          onClick={() => onShow(one)}
          className={cx(
            'flex h-6 items-center gap-1 rounded-sm px-2 text-xs font-medium transition-colors',
            one === show ? 'bg-hover text-ink' : 'text-muted hover:text-ink',
          )}
        >
          {labels[one]}
          {counts[one] !== undefined && (
            <span className="num text-2xs text-faint">{formatCount(counts[one])}</span>
          )}
        </button>
      ))}
    </div>
  );
}

function Line({
  item,
  metric,
  picked,
  onPick,
}: {
  item: ComparedItem;
  metric: string;
  picked: boolean;
  onPick: () => void;
}) {
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (picked) keepInView(row.current);
  }, [picked]);
  const input = item.runs.find((side) => side.item)?.item?.input;
  return (
    <button
      ref={row}
      type="button"
      onClick={onPick}
      aria-current={picked ? 'true' : undefined}
      className={cx(
        'block w-full border-l-2 px-3 py-2 text-left transition-colors',
        picked ? 'border-accent bg-hover' : 'border-transparent hover:bg-hover',
      )}
    >
      <span className="block truncate text-xs">{input ?? item.item_id}</span>
      <span className="mt-0.5 flex items-center gap-2">
        <span className="min-w-0 truncate font-mono text-2xs text-faint">{item.item_id}</span>
        <span className="num ml-auto flex shrink-0 gap-2 text-2xs font-medium">
          {item.runs.map((side, i) =>
            side.gain === undefined ? null : (
              <span
                key={side.run}
                className={cx(
                  'inline-flex items-center gap-1',
                  side.gain > 0 ? 'text-ok' : side.gain < 0 ? 'text-error' : 'text-faint',
                )}
                title={
                  side.gain < 0
                    ? 'worse than the baseline'
                    : side.gain > 0
                      ? 'better than the baseline'
                      : 'the same'
                }
              >
                {item.runs.length > 2 && (
                  <span className="size-1.5 rounded-full" style={{ background: runColors[i] }} aria-hidden />
                )}
                {formatSigned(metric, side.gain)}
              </span>
            ),
          )}
        </span>
      </span>
    </button>
  );
}

/** Items one by one: the largest losses first, each in every run side by side. */
export function Items({
  told,
  ids,
  search,
  onSearch,
}: {
  told: Comparison;
  ids: string;
  search: CompareSearch;
  onSearch: (next: CompareSearch) => void;
}) {
  const [marked, setMarked] = useState(true);
  const { metric = told.metrics[0]?.metric, show = 'all', segment, page = 0 } = search;
  const answer = useQuery(
    comparedItemsQuery({
      ids,
      baseline: told.baseline,
      metric,
      show,
      segment,
      limit: pageSize,
      offset: page * pageSize,
    }),
  );
  const items = answer.data?.items ?? [];
  const total = answer.data?.total ?? 0;
  const found = items.findIndex(({ item_id }) => item_id === search.item);
  const at = Math.max(0, found);
  const shown = items[at];
  const pages = Math.max(1, Math.ceil(total / pageSize));
  const move = (by: number): void => {
    const next = items[at + by];
    if (next) onSearch({ ...search, item: next.item_id });
    else if (by > 0 && page + 1 < pages) onSearch({ ...search, page: page + 1, item: undefined });
    else if (by < 0 && page > 0) onSearch({ ...search, page: page - 1 || undefined, item: undefined });
  };
  const set = (next: Partial<CompareSearch>): void =>
    onSearch({ ...search, page: undefined, item: undefined, ...next });
  const group = 'Items';
  useShortcuts([
    { keys: 'j', label: 'Next item', group, run: () => move(1) },
    { keys: 'k', label: 'Previous item', group, run: () => move(-1) },
    { keys: 'd', label: 'Mark what changed, or not', group, run: () => setMarked(!marked) },
    {
      keys: 'w',
      label: 'Only what is worse, or all',
      group,
      run: () => set({ show: show === 'worse' ? undefined : 'worse' }),
    },
  ]);
  const baseline = told.runs.findIndex(({ id }) => id === told.baseline);
  const lowers = new Set(
    told.metrics.filter(({ direction }) => direction === 'lower').map((one) => one.metric),
  );
  return (
    <Card title="Item by item">
      <div className="flex flex-wrap items-center gap-2 px-4 pb-3">
        {segment !== undefined && (
          <Button
            size="sm"
            look="ghost"
            onClick={() => set({ segment: undefined })}
            title="Show all segments"
          >
            {segment.replace(':', ': ')} ×
          </Button>
        )}
        <select
          aria-label="Sorted by"
          value={metric}
          onChange={(event) => set({ metric: event.target.value })}
          className={cx(inputClass, 'h-7 w-auto max-w-44 text-xs')}
        >
          {told.metrics.map((one) => (
            <option key={one.metric} value={one.metric}>
              by {titleOf(one.metric)}
            </option>
          ))}
        </select>
        <Filter
          show={show}
          told={answer.data}
          onShow={(next) => set({ show: next === 'all' ? undefined : next })}
        />
        <IconButton label="Mark what changed (d)" active={marked} onClick={() => setMarked(!marked)}>
          <Diff size={14} aria-hidden />
        </IconButton>
      </div>
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {answer.isPending && <SkeletonRows rows={6} widths={['w-64', 'w-24']} />}
      {answer.data && items.length === 0 && (
        <EmptyState
          title={show === 'worse' ? 'No item is worse' : 'No such items'}
          className="border-t border-line py-12"
        />
      )}
      {shown && (
        <div className="flex min-h-0 border-t border-line max-lg:flex-col">
          <div className="flex w-72 shrink-0 flex-col border-r border-line max-lg:w-full">
            <nav
              aria-label="Items"
              className={cx(
                'max-h-[34rem] flex-1 overflow-y-auto py-1',
                answer.isPlaceholderData && 'opacity-60',
              )}
            >
              {items.map((item, i) => (
                <Line
                  key={item.item_id}
                  item={item}
                  metric={metric ?? ''}
                  picked={i === at}
                  onPick={() => onSearch({ ...search, item: item.item_id })}
                />
              ))}
            </nav>
            <div className="num flex h-9 items-center gap-1 border-t border-line px-2 text-xs text-muted">
              <IconButton
                label="Previous page"
                disabled={page === 0}
                onClick={() => set({ page: page - 1 || undefined })}
              >
                <ChevronLeft size={14} aria-hidden />
              </IconButton>
              {formatCount(page * pageSize + 1)}–{formatCount(page * pageSize + items.length)} of{' '}
              {formatCount(total)}
              <IconButton
                label="Next page"
                disabled={page + 1 >= pages}
                onClick={() => set({ page: page + 1 })}
              >
                <ChevronRight size={14} aria-hidden />
              </IconButton>
              <span className="ml-auto flex items-center gap-1 text-faint max-xl:hidden">
                <Kbd>j</Kbd>
                <Kbd>k</Kbd>
              </span>
            </div>
          </div>
          <div className="min-w-0 flex-1 p-4">
            <ItemView item={shown} runs={told.runs} baseline={baseline} marked={marked} lowers={lowers} />
          </div>
        </div>
      )}
    </Card>
  );
}
