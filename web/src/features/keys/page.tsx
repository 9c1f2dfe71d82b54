import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { KeyRound } from 'lucide-react';

import type { VirtualKey } from '@/api/types';
import { keysQuery } from '@/shared/data/query';
import { exactTime, formatAgo, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';
import { TableHead } from '@/shared/ui/table-head';
import { chipIs, writeChip } from '@/shared/url/filters';

import { CreateKey } from './parts/create';
import { RevokeKey } from './parts/revoke';

const cell = 'px-4 py-2.5 text-left whitespace-nowrap';

function Row({ item, makers }: { item: VirtualKey; makers: Map<string, string> }) {
  const revoked = item.revoked_at !== undefined;
  return (
    <tr className={cx('transition-colors hover:bg-hover', revoked && 'text-faint')}>
      <th scope="row" className={cx(cell, 'font-medium')}>
        <span className="flex items-center gap-2">
          <span className={cx(revoked && 'line-through')}>{item.name}</span>
          {item.current && <Badge tone="ok">this session</Badge>}
          {revoked && (
            <Badge title={exactTime(item.revoked_at ?? '')}>revoked {formatAgo(item.revoked_at ?? '')}</Badge>
          )}
        </span>
      </th>
      <td className={cx(cell, 'font-mono text-xs')}>…{item.last4}</td>
      <td className={cx(cell, 'num')} title={exactTime(item.created_at)}>
        {formatTime(item.created_at)}
      </td>
      <td className={cell}>
        {item.created_by === undefined ? 'first start' : (makers.get(item.created_by) ?? item.created_by)}
      </td>
      <td className={cx(cell, 'num')} title={item.last_used_at && exactTime(item.last_used_at)}>
        {item.last_used_at ? formatAgo(item.last_used_at) : 'never'}
      </td>
      <td className={cx(cell, 'text-right')}>
        <Link
          to="/traces"
          search={{ f: [writeChip(chipIs('key_id', item.id))] }}
          className="mr-1 inline-flex h-7 items-center rounded-md px-2 text-xs font-medium text-muted hover:bg-line hover:text-ink"
        >
          Traces
        </Link>
        {!revoked && <RevokeKey item={item} />}
      </td>
    </tr>
  );
}

export function KeysPage() {
  const answer = useQuery(keysQuery);
  const items = answer.data?.keys;
  const makers = new Map(items?.map((item) => [item.id, item.name]));
  return (
    <>
      <title>Keys · Signalbox</title>
      <PageHeader title="Keys">
        <CreateKey />
      </PageHeader>
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        <p className="mb-4 max-w-2xl text-sm text-muted">
          A virtual key opens this project: for calls through the gateway, for sending spans, for the API and
          for this page. Provider keys stay on the server.
        </p>
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          {answer.isPending && <SkeletonRows rows={4} widths={['w-48', 'w-16', 'w-32', 'w-24']} />}
          {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
          {items?.length === 0 && <EmptyState icon={<KeyRound size={22} />} title="No keys yet" />}
          {items && items.length > 0 && (
            <table className="w-full text-sm">
              <TableHead titles={['Name', 'Key', 'Made', 'Made by', 'Last used']} cell={cell} />
              <tbody className="divide-y divide-line">
                {items.map((item) => (
                  <Row key={item.id} item={item} makers={makers} />
                ))}
              </tbody>
            </table>
          )}
        </div>
      </div>
    </>
  );
}
