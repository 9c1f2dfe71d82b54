import { useInfiniteQuery } from '@tanstack/react-query';
import { ArrowRight, Minus, PencilLine, Plus } from 'lucide-react';

import type { Dataset, DifferentItem } from '@/api/types';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Select } from '@/shared/ui/select';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import type { DatasetSearch } from '@/shared/url/dataset-search';

import { changedWords, draftOf, shortId } from '../item';
import { diffQuery, versionsQuery } from '../queries';
import { Counts } from './versions';

const looks = {
  added: { icon: Plus, color: 'text-ok', edge: 'border-l-ok' },
  removed: { icon: Minus, color: 'text-error', edge: 'border-l-error' },
  changed: { icon: PencilLine, color: 'text-warn', edge: 'border-l-warn' },
} as const;

const box = 'max-h-72 overflow-y-auto px-3 py-2 text-sm break-words whitespace-pre-wrap';

/** A place that differs: what stood there and what stands there, the words that differ marked. */
function Change({ path, before, after }: { path: string; before?: unknown; after?: unknown }) {
  const words = changedWords(draftOf(before), draftOf(after));
  return (
    <div className="border-t border-line">
      <div className="px-3 pt-2 font-mono text-xs text-muted">{path}</div>
      <div className="grid grid-cols-2">
        <div className={cx(box, 'border-r border-line')}>
          {before === undefined ? (
            <span className="text-faint italic">not there</span>
          ) : (
            words
              .filter((word) => word.kind !== 'added')
              .map((word, i) => (
                <span
                  key={i}
                  className={cx(word.kind === 'removed' && 'rounded-xs bg-error-soft text-error')}
                >
                  {word.text}
                </span>
              ))
          )}
        </div>
        <div className={box}>
          {after === undefined ? (
            <span className="text-faint italic">taken away</span>
          ) : (
            words
              .filter((word) => word.kind !== 'removed')
              .map((word, i) => (
                <span key={i} className={cx(word.kind === 'added' && 'rounded-xs bg-accent-soft text-ok')}>
                  {word.text}
                </span>
              ))
          )}
        </div>
      </div>
    </div>
  );
}

function Different({ item }: { item: DifferentItem }) {
  const { icon: Icon, color, edge } = looks[item.difference];
  const whole = (item.difference === 'added' ? item.after : item.before) as
    Record<string, unknown> | undefined;
  return (
    <article
      aria-label={`${item.difference} ${item.id}`}
      className={cx('overflow-hidden rounded-lg border border-l-2 border-line bg-surface', edge)}
    >
      <header className="flex h-9 items-center gap-2 px-3">
        <Icon size={14} className={color} aria-hidden />
        <span className="truncate font-mono text-xs font-medium">{item.id}</span>
        <span className={cx('ml-auto text-xs', color)}>{item.difference}</span>
      </header>
      {item.difference === 'changed'
        ? item.fields.map((field) => <Change key={field.path} {...field} />)
        : Object.entries(whole ?? {}).map(([name, value]) => (
            <div key={name} className="grid grid-cols-[110px_1fr] border-t border-line">
              <span className="truncate px-3 py-2 font-mono text-xs text-muted">{name}</span>
              <span className={box}>{draftOf(value)}</span>
            </div>
          ))}
      {item.difference === 'changed' && item.fields.length === 0 && (
        <p className="border-t border-line px-3 py-2 text-sm text-faint">What it said was erased.</p>
      )}
    </article>
  );
}

/** Two versions beside each other, item by item and field by field. */
export function DiffView({
  dataset,
  search,
  go,
}: {
  dataset: Dataset;
  search: DatasetSearch;
  go: (next: DatasetSearch) => void;
}) {
  const to = search.version ?? 'main';
  const versions = useInfiniteQuery(versionsQuery(dataset.name));
  const answer = useInfiniteQuery({
    ...diffQuery(dataset.name, search.from, to),
    enabled: dataset.latest !== undefined,
  });
  if (!dataset.latest) {
    return (
      <EmptyState title="Nothing to compare yet" className="flex-1">
        The dataset has no version.
      </EmptyState>
    );
  }
  const first = answer.data?.pages[0];
  const items = answer.data?.pages.flatMap((page) => page.items) ?? [];
  const named = [...dataset.branches, ...dataset.tags]
    .filter((one) => one.version !== undefined)
    .map((one) => [one.name, one.name] as const);
  const all = (versions.data?.pages.flatMap((page) => page.versions) ?? []).map(
    (version) => [version.id, `${shortId(version.id)}  ${version.message}`] as const,
  );
  const options = (chosen: string | undefined) => {
    const list = [...named, ...all];
    return chosen === undefined || list.some(([value]) => value === chosen)
      ? list
      : [[chosen, shortId(chosen)] as const, ...list];
  };
  return (
    <div className="flex min-h-0 flex-1 flex-col">
      <div className="flex min-h-12 shrink-0 flex-wrap items-center gap-2 border-b border-line px-5 py-2">
        <Select
          label="The earlier version"
          value={search.from ?? ''}
          onChange={(from) => go({ ...search, from: from || undefined })}
          options={[['', 'the version before'], ...options(search.from)]}
        />
        <ArrowRight size={14} className="text-faint" aria-hidden />
        <Select
          label="The later version"
          value={to}
          onChange={(version) => go({ ...search, version: version === 'main' ? undefined : version })}
          options={options(to)}
        />
        {first && (
          <span className="ml-auto">
            <Counts added={first.added} changed={first.changed} removed={first.removed} />
          </span>
        )}
      </div>
      <div className="min-h-0 flex-1 space-y-3 overflow-y-auto p-5">
        {answer.isPending && <SkeletonRows rows={6} widths={['w-24', 'w-96']} />}
        {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
        {first && items.length === 0 && (
          <EmptyState title="The same items">Nothing differs between the two versions.</EmptyState>
        )}
        {items.map((item) => (
          <Different key={`${item.difference} ${item.id}`} item={item} />
        ))}
        {answer.hasNextPage && (
          <div className="flex justify-center">
            <Button disabled={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
              More
            </Button>
          </div>
        )}
      </div>
    </div>
  );
}
