import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { BellRing, Plus } from 'lucide-react';
import { useState } from 'react';

import type { Monitor } from '@/api/types';
import { LooksOn } from '@/shared/data/looks-on';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { Detail } from './parts/detail';
import { Editor } from './parts/editor';
import { monitorsQuery } from './queries';
import { byNeed, kindOf, stateOf } from './state';

const cell = 'px-4 py-2.5 text-left whitespace-nowrap';
/** What is of less use goes where there is little room. */
const titles = [
  { title: 'State' },
  { title: 'Monitor' },
  { title: 'Condition', className: 'max-xl:hidden' },
  { title: 'Severity', className: 'max-lg:hidden' },
  { title: 'Last seen' },
  { title: 'Tells' },
  { title: 'Evaluated', className: 'max-xl:hidden' },
];

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');

function Row({ monitor, onOpen }: { monitor: Monitor; onOpen: () => void }) {
  const definition = monitor.definition as Record<string, unknown>;
  const worst = monitor.series.find((one) => one.phase === monitor.phase);
  const told =
    textOf(definition.escalation) || (Array.isArray(definition.notify) ? definition.notify.join(', ') : '');
  const state = stateOf(monitor);
  return (
    <tr className="transition-colors hover:bg-hover">
      <td className={cell}>
        <Badge tone={state.tone}>{state.word}</Badge>
      </td>
      <th scope="row" className={`${cell} font-medium`}>
        <button type="button" onClick={onOpen} className="text-left hover:text-accent hover:underline">
          {monitor.name}
        </button>
        {monitor.series.length > 1 && (
          <span className="num ml-2 text-xs text-faint">{monitor.series.length} series</span>
        )}
        {monitor.problem && (
          <Badge tone="error" title={monitor.problem} className="ml-2">
            can’t be evaluated
          </Badge>
        )}
      </th>
      <td className={`${cell} text-muted max-xl:hidden`}>{kindOf(definition).replace('_', ' ')}</td>
      <td className={`${cell} text-muted max-lg:hidden`}>{textOf(definition.severity)}</td>
      <td className="min-w-52 px-4 py-2.5 text-muted">
        <span className="line-clamp-2" title={worst?.seen?.text}>
          {worst?.seen ? <Coded text={worst.seen.text} /> : <span className="text-faint">nothing yet</span>}
        </span>
      </td>
      <td className="max-w-40 px-4 py-2.5 break-words text-muted">
        {told || <span className="text-faint">nobody</span>}
      </td>
      <td
        className={`${cell} num text-muted max-xl:hidden`}
        title={monitor.evaluated_at && exactTime(monitor.evaluated_at)}
      >
        {monitor.evaluated_at ? formatAgo(monitor.evaluated_at) : 'not yet'}
      </td>
    </tr>
  );
}

export function MonitorsPage() {
  const { name } = useSearch({ from: '/house/monitors' });
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  useShortcuts([{ keys: 'n', label: 'New monitor', group: 'Monitors', run: () => setMaking(true) }]);
  const answer = useQuery(monitorsQuery);
  const monitors = answer.data?.monitors;
  const chosen = monitors?.find((one) => one.name === name);
  const choose = (next?: string): void => void navigate({ to: '/monitors', search: { name: next } });
  return (
    <>
      <title>Monitors · Signalbox</title>
      <PageHeader title="Monitors">
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={14} aria-hidden /> New monitor
        </Button>
      </PageHeader>
      <LooksOn />
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        <p className="mb-4 max-w-2xl text-sm text-muted">
          A monitor asks the same question again and again. When the answer is wrong for long enough it opens
          an incident, which tells people until one of them takes it.
        </p>
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          {answer.isPending && <SkeletonRows rows={4} widths={['w-16', 'w-48', 'w-24', 'w-32']} />}
          {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
          {monitors?.length === 0 && (
            <EmptyState icon={<BellRing size={22} />} title="No monitors yet" className="py-16">
              Make one here, or write it into the configuration under <code>watch.monitors</code>.
            </EmptyState>
          )}
          {monitors && monitors.length > 0 && (
            <table className="w-full text-sm">
              <thead className="border-b border-line text-xs text-faint">
                <tr>
                  {titles.map(({ title, className }) => (
                    <th key={title} scope="col" className={cx(cell, 'font-medium', className)}>
                      {title}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody className="divide-y divide-line">
                {byNeed(monitors).map((one) => (
                  <Row key={one.name} monitor={one} onOpen={() => choose(one.name)} />
                ))}
              </tbody>
            </table>
          )}
        </div>
      </div>
      {making && <Editor open onClose={() => setMaking(false)} />}
      {chosen && <Detail monitor={chosen} onClose={() => choose()} />}
    </>
  );
}
