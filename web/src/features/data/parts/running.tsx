import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';

import { ApiError } from '@/api/client';
import type { RunningQuery } from '@/api/types';
import { cancelQuery } from '@/shared/data/query';
import { formatDuration } from '@/shared/format/numbers';
import { exactTime } from '@/shared/time/format';
import { useNow } from '@/shared/time/use-now';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Card } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { TableHead } from '@/shared/ui/table-head';

import { runningQuery } from '../queries';
import { cell, head } from './table';

function ageOf(query: RunningQuery, now: number): string {
  const seconds = Math.max(0, Math.floor((now - Date.parse(query.started_at)) / 1_000));
  return seconds < 60 ? `${seconds} s` : formatDuration(seconds * 1_000);
}

function Row({ query, now }: { query: RunningQuery; now: number }) {
  const queryClient = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelQuery(query.id),
    onSettled: () => queryClient.invalidateQueries({ queryKey: runningQuery.queryKey }),
  });
  // Not there any more is what was wanted.
  const failed = cancel.error instanceof ApiError && cancel.error.status === 404 ? null : cancel.error;
  return (
    <tr className="transition-colors hover:bg-hover">
      <td className={cx(cell, 'num')} title={exactTime(query.started_at)}>
        {ageOf(query, now)}
      </td>
      <td className={cell}>
        <Badge>{query.kind === 'sql' ? 'SQL' : 'Query'}</Badge>
      </td>
      <td className={cx(cell, 'w-full max-w-0')}>
        <div className="truncate font-mono text-xs" title={query.text}>
          {query.text.replace(/\s+/g, ' ')}
        </div>
        <div className="truncate font-mono text-2xs text-faint">{query.id}</div>
        {failed && (
          <p role="alert" className="text-xs text-error">
            {failed.message}
          </p>
        )}
      </td>
      <td className={cx(cell, 'text-right')}>
        <Button
          size="sm"
          disabled={cancel.isPending}
          aria-label={`Cancel the query ${query.id}`}
          onClick={() => cancel.mutate()}
        >
          {cancel.isPending ? 'Cancelling…' : 'Cancel'}
        </Button>
      </td>
    </tr>
  );
}

/** What the store works on now for this project, and a way to stop it. */
export function Running() {
  const answer = useQuery(runningQuery);
  const queries = answer.data?.queries;
  const now = useNow(1_000, (queries?.length ?? 0) > 0);
  return (
    <Card
      title="Running queries"
      aside={
        <span className={cx('pr-2 text-xs', answer.isError ? 'text-warn' : 'text-faint')}>
          {answer.isError ? 'not up to date' : 'every 2 s'}
        </span>
      }
    >
      {answer.isPending && <SkeletonRows rows={1} widths={['w-12', 'w-12', 'flex-1', 'w-16']} />}
      {answer.isError && !queries && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {queries?.length === 0 && (
        <EmptyState title="No query is running" className="pt-4 pb-7">
          Those of the page Query and of the API are listed here while they run, and can be stopped.
        </EmptyState>
      )}
      {queries && queries.length > 0 && (
        <div className="overflow-x-auto">
          <table className="w-full text-sm">
            <TableHead titles={['Runs for', 'Language', 'Text and name']} cell={cell} className={head} />
            <tbody className="divide-y divide-line">
              {queries.map((query) => (
                <Row key={query.id} query={query} now={now} />
              ))}
            </tbody>
          </table>
        </div>
      )}
    </Card>
  );
}
