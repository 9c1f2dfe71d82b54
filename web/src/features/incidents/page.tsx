import { useQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import { Siren } from 'lucide-react';

import type { Incident } from '@/api/types';
import { LooksOn } from '@/shared/data/looks-on';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { Detail } from './parts/detail';
import { incidentsQuery } from './queries';
import { lasted, severityTone, statusTone } from './state';

function Item({ incident, chosen, show }: { incident: Incident; chosen: boolean; show?: 'all' }) {
  return (
    <li>
      <Link
        to="/incidents"
        search={{ show, id: incident.id }}
        aria-current={chosen ? 'true' : undefined}
        className={cx(
          'block border-l-2 px-4 py-3 transition-colors',
          chosen ? 'border-accent bg-hover' : 'border-transparent hover:bg-hover',
        )}
      >
        <span className="flex items-center gap-1.5">
          <Badge tone={severityTone[incident.severity]}>{incident.severity}</Badge>
          <Badge tone={statusTone[incident.status]}>{incident.status}</Badge>
          {incident.muted && <Badge title={incident.muted}>muted</Badge>}
          <span className="num ml-auto text-xs text-faint" title={exactTime(incident.opened_at)}>
            {formatAgo(incident.opened_at)}
          </span>
        </span>
        <span className="mt-1.5 line-clamp-2 block text-sm font-medium break-words">{incident.title}</span>
        <span className="mt-0.5 block text-xs text-muted">
          {incident.acknowledged_by ? `taken by ${incident.acknowledged_by}` : 'nobody has taken it'} ·{' '}
          {lasted(incident)}
        </span>
      </Link>
    </li>
  );
}

const tab = (active: boolean): string =>
  cx(
    'inline-flex h-7 items-center rounded-md px-2.5 text-xs font-medium transition-colors',
    active ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-hover hover:text-ink',
  );

export function IncidentsPage() {
  const { show, id } = useSearch({ from: '/house/incidents' });
  const answer = useQuery(incidentsQuery(show === 'all' ? undefined : 'active'));
  const incidents = answer.data?.incidents;
  const chosen = id ?? incidents?.[0]?.id;
  return (
    <>
      <title>Incidents · Signalbox</title>
      <PageHeader title="Incidents">
        <nav aria-label="Which incidents" className="flex gap-1">
          <Link to="/incidents" search={{ id }} className={tab(show === undefined)}>
            Active
          </Link>
          <Link to="/incidents" search={{ show: 'all', id }} className={tab(show === 'all')}>
            All
          </Link>
        </nav>
      </PageHeader>
      <LooksOn />
      <div className="flex min-h-0 flex-1 flex-col overflow-y-auto lg:flex-row lg:overflow-hidden">
        <div className="shrink-0 border-line lg:w-[26rem] lg:overflow-y-auto lg:border-r">
          {answer.isPending && <SkeletonRows rows={5} widths={['w-48', 'w-24']} />}
          {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
          {incidents?.length === 0 && (
            <EmptyState
              icon={<Siren size={22} />}
              title={show ? 'No incidents yet' : 'Nothing is wrong'}
              className="py-16"
            >
              Incidents come from{' '}
              <Link to="/monitors" className="text-accent hover:underline">
                monitors
              </Link>
              : questions that are asked again and again.
            </EmptyState>
          )}
          <ul className="divide-y divide-line">
            {incidents?.map((incident) => (
              <Item key={incident.id} incident={incident} chosen={incident.id === chosen} show={show} />
            ))}
          </ul>
        </div>
        <div className="min-w-0 flex-1 bg-surface lg:overflow-y-auto">{chosen && <Detail id={chosen} />}</div>
      </div>
    </>
  );
}
