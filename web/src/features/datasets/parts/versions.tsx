import { useInfiniteQuery } from '@tanstack/react-query';
import { GitBranch, GitCommitHorizontal, Tag } from 'lucide-react';

import type { Dataset, DatasetVersion } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { CopyIcon } from '@/shared/ui/copy';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import type { DatasetSearch } from '@/shared/url/dataset-search';

import { shortId } from '../item';
import { versionsQuery } from '../queries';

/** How much a version changed: green for new, amber for other, red for gone. */
export function Counts({ added, changed, removed }: { added: number; changed: number; removed: number }) {
  return (
    <span className="num flex items-center gap-2 text-xs">
      {added > 0 && <span className="text-ok">+{formatCount(added)}</span>}
      {changed > 0 && <span className="text-warn">~{formatCount(changed)}</span>}
      {removed > 0 && <span className="text-error">−{formatCount(removed)}</span>}
    </span>
  );
}

function Row({
  version,
  dataset,
  go,
}: {
  version: DatasetVersion;
  dataset: Dataset;
  go: (next: DatasetSearch) => void;
}) {
  const branches = dataset.branches.filter((one) => one.version === version.id);
  const tags = dataset.tags.filter((one) => one.version === version.id);
  return (
    <li className="group relative flex items-start gap-3 px-5 py-3 transition-colors hover:bg-hover">
      <span
        aria-hidden
        className="absolute top-0 bottom-0 left-[27px] w-px bg-line group-first:top-5 group-last:bottom-auto group-last:h-5"
      />
      <GitCommitHorizontal
        size={16}
        className="relative mt-0.5 shrink-0 bg-surface text-accent"
        aria-hidden
      />
      <div className="min-w-0 flex-1">
        <div className="flex flex-wrap items-center gap-2">
          <span className="max-w-2xl truncate font-medium">{version.message}</span>
          {branches.map((one) => (
            <Badge key={one.name} tone="ok">
              <GitBranch size={10} aria-hidden /> {one.name}
            </Badge>
          ))}
          {tags.map((one) => (
            <Badge key={one.name} tone="info">
              <Tag size={10} aria-hidden /> {one.name}
            </Badge>
          ))}
        </div>
        <p className="mt-0.5 flex flex-wrap items-center gap-x-3 text-xs text-muted">
          <span className="flex items-center font-mono text-faint">
            {shortId(version.id)}
            <CopyIcon text={version.id} label="Copy the version" className="size-5!" />
          </span>
          <span>{version.author_name}</span>
          <span title={exactTime(version.made_at)}>{formatAgo(version.made_at)}</span>
          <span className="num">{formatCount(version.items)} items</span>
        </p>
      </div>
      <Counts added={version.added} changed={version.replaced} removed={version.removed} />
      <span className="flex shrink-0 gap-1">
        <Button
          size="sm"
          look="ghost"
          onClick={() => go({ view: 'diff', version: version.id, from: version.parent })}
        >
          What changed
        </Button>
        <Button size="sm" look="ghost" onClick={() => go({ version: version.id })}>
          Items
        </Button>
      </span>
    </li>
  );
}

/** Every version, newest first. */
export function Versions({ dataset, go }: { dataset: Dataset; go: (next: DatasetSearch) => void }) {
  const answer = useInfiniteQuery(versionsQuery(dataset.name));
  const versions = answer.data?.pages.flatMap((page) => page.versions) ?? [];
  return (
    <div className="min-h-0 flex-1 overflow-y-auto bg-surface">
      {answer.isPending && <SkeletonRows rows={6} widths={['w-80', 'w-24', 'w-32']} />}
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {answer.data && versions.length === 0 && (
        <EmptyState title="No versions yet">Each change to the items makes one.</EmptyState>
      )}
      <ol className="divide-y divide-line/60">
        {versions.map((version) => (
          <Row key={version.id} version={version} dataset={dataset} go={go} />
        ))}
      </ol>
      {answer.hasNextPage && (
        <div className="flex justify-center p-4">
          <Button disabled={answer.isFetchingNextPage} onClick={() => void answer.fetchNextPage()}>
            Earlier versions
          </Button>
        </div>
      )}
    </div>
  );
}
