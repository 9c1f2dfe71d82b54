import { useQuery } from '@tanstack/react-query';
import { OctagonAlert } from 'lucide-react';
import type { ReactNode } from 'react';

import type { StatusAnswer } from '@/api/types';
import { formatBytes, formatCount, formatWhole } from '@/shared/format/numbers';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { count } from '../erasure';
import { storeQuery } from '../queries';

/** Five in a row where there is room, or a wide one and four. */
const gridClass =
  'grid grid-cols-2 gap-3 md:grid-cols-3 xl:grid-cols-5 [&>:first-child]:col-span-2 xl:[&>:first-child]:col-span-1';

function Tile({ title, value, children }: { title: string; value: string; children: ReactNode }) {
  return (
    <div className="min-w-0 rounded-lg border border-line bg-surface px-4 py-3">
      <dt className="text-xs font-medium text-muted">{title}</dt>
      <dd>
        <div className="num mt-1 text-2xl font-semibold tracking-tight">{value}</div>
        <div className="num mt-0.5 truncate text-xs text-muted">{children}</div>
      </dd>
    </div>
  );
}

/** Whether the store takes rows. */
export function StoreBadge() {
  const { data } = useQuery(storeQuery);
  if (!data) return null;
  return data.store.read_only ? (
    <Badge tone="error">read-only</Badge>
  ) : (
    <Badge tone="ok" title="The store takes rows">
      writing
    </Badge>
  );
}

function ReadOnly() {
  return (
    <div role="alert" className="flex gap-3 rounded-lg bg-error-soft px-4 py-3 text-sm text-error">
      <OctagonAlert size={16} className="mt-0.5 shrink-0" aria-hidden />
      <div className="space-y-1">
        <p className="font-semibold">The store is read-only: its disk is full, or it failed.</p>
        <p>
          Calls and queries go on, but what calls say is not kept. Free some space on the disk of the data
          folder, or delete what is not needed: a full disk is tried again every 10 seconds. If writes are
          still refused a minute later, the log of Signalbox says what the disk answered; mend it and start
          Signalbox again.
        </p>
      </div>
    </div>
  );
}

function Tiles({ status }: { status: StatusAnswer }) {
  const { store } = status;
  const began = new Date(Date.parse(status.now) - status.uptime_s * 1_000).toISOString();
  return (
    <dl className={gridClass}>
      <Tile title="On disk" value={formatBytes(store.file_bytes)}>
        in {count(store.files, 'data file')}
      </Tile>
      <Tile title="In memory" value={count(store.memtable_rows, 'row')}>
        {formatBytes(store.memtable_bytes)}, not yet in files
      </Tile>
      <Tile title="Journal" value={formatBytes(store.journal_bytes)}>
        for a start after a crash
      </Tile>
      <Tile title="Rows taken" value={formatCount(store.appended_rows)}>
        <span title={exactTime(began)}>since the start, {formatAgo(began, Date.parse(status.now))}</span>
      </Tile>
      <Tile title="Waiting to be stored" value={formatWhole(status.queue_depth)}>
        {status.shed_spans > 0 ? (
          <span className="font-medium text-error">{count(status.shed_spans, 'span')} lost</span>
        ) : (
          <>of {formatCount(status.queue_capacity)} that may wait</>
        )}
      </Tile>
    </dl>
  );
}

/** How the store is. */
export function Store() {
  const answer = useQuery(storeQuery);
  const { data } = answer;
  return (
    <section aria-label="Store" className="flex flex-col gap-3">
      {data?.store.read_only && <ReadOnly />}
      {answer.isPending && (
        <div role="status" aria-label="Loading" className={gridClass}>
          {Array.from({ length: 5 }, (_, i) => (
            <Skeleton key={i} className="h-[92px] rounded-lg" />
          ))}
        </div>
      )}
      {answer.isError && !data && (
        <ErrorState
          error={answer.error}
          retry={() => void answer.refetch()}
          className="rounded-lg border border-line bg-surface"
        />
      )}
      {data && <Tiles status={data} />}
    </section>
  );
}
