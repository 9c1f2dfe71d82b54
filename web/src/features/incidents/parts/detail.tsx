import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { BellOff, BellRing, FileDown, Waves } from 'lucide-react';

import type { Incident } from '@/api/types';
import { exactTime, formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { buttonClass } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';
import { cx } from '@/shared/ui/cx';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import type { FullIncident } from '../context';
import { incidentQuery } from '../queries';
import { driftCheckOf, lasted, named, severityTone, statusTone } from '../state';
import { Actions } from './actions';
import { Beside } from './context';
import { Heading } from './heading';
import { History } from './history';
import { Runbook } from './runbook';

const dots: Record<string, string> = {
  opened: 'bg-error',
  fired: 'bg-error',
  worsened: 'bg-error',
  not_told: 'bg-warn',
  muted: 'bg-warn',
  acknowledged: 'bg-info',
  note: 'bg-info',
  action: 'bg-info',
  told: 'bg-line-strong',
  recovered: 'bg-accent',
  resolved: 'bg-accent',
};

function Timeline({ entries }: { entries: Incident['timeline'] }) {
  return (
    <ol className="relative ml-1.5 border-l border-line">
      {entries.map((entry, i) => (
        <li key={i} className="relative py-1.5 pl-4 text-sm">
          <span
            aria-hidden
            className={cx(
              'absolute top-3 -left-[4.5px] size-2 rounded-full ring-2 ring-surface',
              dots[entry.what] ?? 'bg-line-strong',
            )}
          />
          <span className="num mr-2 text-xs text-faint" title={exactTime(entry.at)}>
            {formatTime(entry.at)}
          </span>
          <span className="mr-1.5 font-medium">{entry.what.replace('_', ' ')}</span>
          <span className="break-words text-muted">
            <Coded text={entry.text} />
          </span>
          {entry.by && <span className="text-faint"> by {entry.by}</span>}
        </li>
      ))}
    </ol>
  );
}

/** What found it: a monitor or a drift check of this Signalbox, or an Alertmanager. */
function Source({ incident }: { incident: FullIncident }) {
  const check = driftCheckOf(incident.monitor);
  if (incident.external)
    return <Badge title="No monitor of this Signalbox found it">by channel {incident.external}</Badge>;
  if (check !== undefined)
    return (
      <Link to="/drift" search={{ name: check }} className={buttonClass('ghost')}>
        <Waves size={14} aria-hidden /> Drift check
      </Link>
    );
  return (
    <Link to="/monitors" search={{ name: incident.monitor }} className={buttonClass('ghost')}>
      <BellRing size={14} aria-hidden /> Monitor
    </Link>
  );
}

/** One incident: what is wrong, what to do, what happened. */
export function Detail({ id }: { id: string }) {
  const answer = useQuery(incidentQuery(id));
  if (answer.isPending) return <SkeletonRows rows={6} widths={['w-64', 'w-40']} />;
  if (answer.isError) return <ErrorState error={answer.error} retry={() => void answer.refetch()} />;
  const incident: FullIncident = answer.data;
  return (
    <article aria-label={incident.title} className="p-5">
      <div className="flex flex-wrap items-center gap-1.5">
        <Badge tone={statusTone[incident.status]}>{incident.status}</Badge>
        <Badge tone={severityTone[incident.severity]}>{incident.severity}</Badge>
        {incident.owner && <Badge>owner {incident.owner}</Badge>}
        <span className="num ml-auto text-xs text-faint" title={exactTime(incident.opened_at)}>
          {formatTime(incident.opened_at)}
          {incident.resolved_at && ` – ${formatTime(incident.resolved_at)}`} · {lasted(incident)}
        </span>
      </div>
      <h2 className="mt-2 text-lg leading-snug font-semibold break-words">
        <Coded text={incident.title} />
      </h2>
      {incident.muted && (
        <p className="mt-2 flex items-start gap-2 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
          <BellOff size={14} className="mt-0.5 shrink-0" aria-hidden />
          <span className="min-w-0 flex-1 break-words">
            Nobody is told: <Coded text={incident.muted} />
          </span>
          <Link to="/alerting" className="shrink-0 underline">
            Silences
          </Link>
        </p>
      )}
      <div className="mt-4 flex flex-wrap items-center gap-2">
        {incident.status !== 'resolved' && <Actions incident={incident} />}
        <a
          className={buttonClass('ghost')}
          href={`/api/v1/incidents/${incident.id}/post_mortem`}
          download={`incident-${incident.id}.md`}
          title="Download it as Markdown, to go on from"
        >
          <FileDown size={14} aria-hidden /> Post-mortem
        </a>
        <Source incident={incident} />
      </div>
      <Heading>What is wrong</Heading>
      <ul className="divide-y divide-line rounded-md border border-line text-sm">
        {incident.series.map((one) => (
          <li key={named(one.labels)} className="flex items-center gap-3 px-3 py-2">
            <span
              aria-hidden
              className={cx('size-2 shrink-0 rounded-full', one.firing ? 'bg-error' : 'bg-accent')}
            />
            <span className="min-w-0 flex-1">
              {Object.keys(one.labels).length > 0 && (
                <span className="mr-2 font-mono text-xs break-all">{named(one.labels)}</span>
              )}
              <span className="text-muted">
                <Coded text={one.text} />
              </span>
            </span>
            {!one.firing && <Badge tone="ok">over</Badge>}
          </li>
        ))}
      </ul>
      <History incident={incident} />
      <Runbook incident={incident} />
      <Beside incident={incident} />
      <Heading>Timeline</Heading>
      <Timeline entries={incident.timeline} />
    </article>
  );
}
