import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Plus, Waves } from 'lucide-react';
import { useState } from 'react';

import { LooksOn } from '@/shared/data/looks-on';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { Detail } from './parts/detail';
import { Editor } from './parts/editor';
import { checksQuery } from './queries';
import type { Check } from './types';
import { driftedIn, stateOf } from './view';

const cell = 'px-4 py-2.5 text-left whitespace-nowrap';
const titles = ['State', 'Check', 'What has drifted', 'Compared', 'Window', 'Every', 'Last'];

const textOf = (value: unknown, otherwise = ''): string => (typeof value === 'string' ? value : otherwise);

function Row({ check, onOpen }: { check: Check; onOpen: () => void }) {
  const { word, tone } = stateOf(check);
  const { last, definition } = check;
  const drifted = last ? driftedIn(last) : '';
  return (
    <tr className="transition-colors hover:bg-hover">
      <td className={cell}>
        <Badge tone={tone} title={check.problem}>
          {word}
        </Badge>
      </td>
      <th scope="row" className={`${cell} font-medium`}>
        <button type="button" onClick={onOpen} className="text-left hover:text-accent hover:underline">
          {check.name}
        </button>
      </th>
      <td className="min-w-52 px-4 py-2.5 text-muted">
        <span className="line-clamp-2" title={drifted}>
          {drifted || <span className="text-faint">{last && last.compared > 0 ? 'nothing' : '–'}</span>}
        </span>
      </td>
      <td
        className={`${cell} num text-muted`}
        title={last && `${last.compared} of ${last.cells.length} signals × segments had enough values`}
      >
        {last && last.compared > 0 ? `${last.compared} of ${last.cells.length}` : '–'}
      </td>
      <td className={`${cell} num text-muted`}>{textOf(definition.current)}</td>
      <td className={`${cell} num text-muted`}>{textOf(definition.every)}</td>
      <td className={`${cell} num text-muted`} title={last && exactTime(last.at)}>
        {last ? formatAgo(last.at) : 'not yet'}
      </td>
    </tr>
  );
}

function List({ onOpen }: { onOpen: (name: string) => void }) {
  const answer = useQuery(checksQuery);
  const checks = answer.data?.checks;
  return (
    <div className="overflow-x-auto rounded-lg border border-line bg-surface">
      {answer.isPending && <SkeletonRows rows={3} widths={['w-16', 'w-48', 'w-64', 'w-24']} />}
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {checks?.length === 0 && (
        <EmptyState icon={<Waves size={22} />} title="No drift checks yet" className="py-16">
          Make one here, or write it into the configuration under <code>watch.drift</code>.
        </EmptyState>
      )}
      {checks && checks.length > 0 && (
        <table className="w-full text-sm">
          <thead className="border-b border-line text-xs text-faint">
            <tr>
              {titles.map((title) => (
                <th key={title} scope="col" className={`${cell} font-medium`}>
                  {title}
                </th>
              ))}
            </tr>
          </thead>
          <tbody className="divide-y divide-line">
            {checks.map((one) => (
              <Row key={one.name} check={one} onOpen={() => onOpen(one.name)} />
            ))}
          </tbody>
        </table>
      )}
    </div>
  );
}

export function DriftPage() {
  const { name } = useSearch({ from: '/house/drift' });
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  const choose = (next?: string): void => void navigate({ to: '/drift', search: { name: next } });
  if (name !== undefined) return <Detail key={name} name={name} onBack={() => choose()} />;
  return (
    <>
      <title>Drift · Signalbox</title>
      <PageHeader title="Drift">
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={14} aria-hidden /> New check
        </Button>
      </PageHeader>
      <LooksOn />
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        <p className="mb-4 max-w-2xl text-sm text-muted">
          A drift check compares what is asked and answered now with what was, signal by signal: lengths,
          languages, topics, tools, refusals, scores. A change that is both sure and large enough is an
          incident.
        </p>
        <List onOpen={choose} />
      </div>
      {making && <Editor onClose={() => setMaking(false)} onSaved={choose} />}
    </>
  );
}
