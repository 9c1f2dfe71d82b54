import { useQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import { Siren } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import type { Incident } from '@/api/types';
import { LooksOn } from '@/shared/data/looks-on';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Coded } from '@/shared/ui/coded';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { Detail } from './parts/detail';
import { incidentsQuery, MOST } from './queries';
import { byUrgency, lasted, severityTone, statusTone } from './state';

const takenBy = ({ acknowledged_by: by, status }: Incident): string => {
  if (by) return `taken by ${by}`;
  return status === 'resolved' ? 'nobody took it' : 'nobody has taken it';
};

function Item({ incident, chosen, show }: { incident: Incident; chosen: boolean; show?: 'all' }) {
  const row = useRef<HTMLAnchorElement>(null);
  useEffect(() => {
    if (chosen) row.current?.scrollIntoView({ block: 'nearest' });
  }, [chosen]);
  return (
    <li>
      <Link
        ref={row}
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
        <span className="mt-1.5 line-clamp-2 block text-sm font-medium break-words">
          <Coded text={incident.title} />
        </span>
        <span className="mt-0.5 block text-xs text-muted">
          {takenBy(incident)} · {lasted(incident)}
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
  const all = answer.data?.incidents;
  const incidents = all && (show === 'all' ? all : byUrgency(all));
  // Without a choice the first one is shown, and stays while others come before it: somebody may be reading.
  const [first, setFirst] = useState<string>();
  if (first === undefined && incidents?.[0]) setFirst(incidents[0].id);
  const chosen = id ?? first;
  const navigate = useNavigate();
  const move = (step: number): void => {
    const at = incidents?.findIndex((one) => one.id === chosen) ?? -1;
    const next = incidents?.[Math.max(0, at + step)];
    if (next) void navigate({ to: '/incidents', search: { show, id: next.id }, replace: true });
  };
  useShortcuts([
    { keys: 'j', label: 'Next incident', group: 'Incidents', run: () => move(1) },
    { keys: 'k', label: 'Previous incident', group: 'Incidents', run: () => move(-1) },
  ]);
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
      {incidents?.length === 0 && chosen === undefined ? (
        <Nothing all={show === 'all'} />
      ) : (
        <div className="flex min-h-0 flex-1 flex-col overflow-y-auto md:flex-row md:overflow-hidden">
          <div className="shrink-0 border-line max-md:border-b md:w-72 md:overflow-y-auto md:border-r xl:w-[26rem]">
            {answer.isPending && <SkeletonRows rows={5} widths={['w-32', 'w-16']} />}
            {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
            {incidents?.length === 0 && (
              <p className="px-4 py-3 text-sm text-muted">
                {show === 'all' ? 'No incidents yet.' : 'Nothing is wrong now.'}
              </p>
            )}
            <ul className="divide-y divide-line">
              {incidents?.map((incident) => (
                <Item key={incident.id} incident={incident} chosen={incident.id === chosen} show={show} />
              ))}
            </ul>
            {incidents?.length === MOST && (
              <p className="border-t border-line px-4 py-3 text-xs text-faint">The latest {MOST}.</p>
            )}
          </div>
          <div className="min-w-0 flex-1 bg-surface md:overflow-y-auto">
            {chosen && <Detail key={chosen} id={chosen} />}
          </div>
        </div>
      )}
    </>
  );
}

function Nothing({ all }: { all: boolean }) {
  return (
    <EmptyState
      icon={<Siren size={22} />}
      title={all ? 'No incidents yet' : 'Nothing is wrong'}
      className="min-h-0 flex-1"
    >
      Incidents come from{' '}
      <Link to="/monitors" className="text-accent hover:underline">
        monitors
      </Link>
      : questions that are asked again and again.
      {!all && (
        <>
          {' '}
          What is over is under{' '}
          <Link to="/incidents" search={{ show: 'all' }} className="text-accent hover:underline">
            All
          </Link>
          .
        </>
      )}
    </EmptyState>
  );
}
