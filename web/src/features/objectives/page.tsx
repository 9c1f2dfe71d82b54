import { useQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { Plus, Target } from 'lucide-react';
import { useState } from 'react';

import { LooksOn } from '@/shared/data/looks-on';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { exactTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { BudgetBar, Rates } from './parts/budget';
import { Detail } from './parts/detail';
import { Editor } from './parts/editor';
import { FreezeBanner } from './parts/freeze';
import { objectivesQuery } from './queries';
import { freezeBelow, meaning, percent, phaseTone, until } from './state';
import type { Objective } from './types';

const cell = 'px-4 py-3 text-left align-middle whitespace-nowrap';
/** What is of less use goes where there is little room. */
const titles = [
  { title: 'Objective' },
  { title: 'Attained' },
  { title: 'Error budget left' },
  { title: 'Burn rate', className: 'max-xl:hidden' },
  { title: 'Spent in' },
  { title: 'Monitor' },
];

function Row({ objective, onOpen }: { objective: Objective; onOpen: () => void }) {
  const { definition, standing } = objective;
  const goal = Number(definition.objective);
  const period = typeof definition.period === 'string' ? definition.period : '';
  const missed = standing?.attained !== undefined && standing.attained < goal;
  return (
    <tr className="transition-colors hover:bg-hover">
      <th scope="row" className="min-w-48 px-4 py-3 text-left font-medium">
        <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
          <button type="button" onClick={onOpen} className="text-left hover:text-accent hover:underline">
            {objective.name}
          </button>
          {standing?.frozen && (
            <Badge tone="error" title={standing.text}>
              releases wait
            </Badge>
          )}
          {objective.problem && (
            <Badge tone="error" title={objective.problem}>
              can’t be counted
            </Badge>
          )}
        </span>
        <span className="mt-0.5 block text-xs font-normal text-muted">
          {meaning(definition)} · {period}
        </span>
      </th>
      <td className={`${cell} num`}>
        <span className={missed ? 'font-medium text-error' : 'font-medium'}>
          {standing?.attained === undefined ? '–' : percent(standing.attained, goal)}
        </span>
        <span className="ml-1.5 text-xs text-faint">of {percent(goal, goal)}</span>
      </td>
      <td className={`${cell} min-w-44 xl:min-w-56`} title={standing?.text}>
        {standing && standing.total > 0 ? (
          <BudgetBar left={standing.budget_left} freeze={freezeBelow(definition)} />
        ) : (
          <span className="text-muted">{standing ? 'nothing has happened yet' : '–'}</span>
        )}
      </td>
      <td className={`${cell} max-xl:hidden`}>{standing && <Rates rates={standing.burn_rates} />}</td>
      <td className={`${cell} num text-muted`} title={standing?.spent_at && exactTime(standing.spent_at)}>
        {!standing
          ? '–'
          : standing.budget_left <= 0
            ? 'spent'
            : standing.spent_at
              ? until(standing.spent_at)
              : '–'}
      </td>
      <td className={cell}>
        <Badge tone={phaseTone[objective.phase]}>{objective.phase}</Badge>
      </td>
    </tr>
  );
}

export function ObjectivesPage() {
  const { name } = useSearch({ from: '/house/objectives' });
  const navigate = useNavigate();
  const [making, setMaking] = useState(false);
  useShortcuts([{ keys: 'n', label: 'New objective', group: 'Objectives', run: () => setMaking(true) }]);
  const answer = useQuery(objectivesQuery);
  const objectives = answer.data?.objectives;
  const choose = (next?: string): void => void navigate({ to: '/objectives', search: { name: next } });
  return (
    <>
      <title>Objectives · Signalbox</title>
      <PageHeader title="Objectives">
        <Button look="primary" onClick={() => setMaking(true)}>
          <Plus size={14} aria-hidden /> New objective
        </Button>
      </PageHeader>
      <LooksOn />
      <div className="min-h-0 flex-1 overflow-y-auto p-5">
        <p className="mb-4 max-w-2xl text-sm text-muted">
          An objective says which share of calls, answers or scores must be good over a time. The rest is the
          error budget: people are told when it is spent too fast, and releases wait when little of it is
          left.
        </p>
        <FreezeBanner />
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          {answer.isPending && <SkeletonRows rows={3} widths={['w-48', 'w-24', 'w-56', 'w-40']} />}
          {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
          {objectives?.length === 0 && (
            <EmptyState icon={<Target size={22} />} title="No objectives yet" className="py-16">
              Make one here, or write it into the configuration under <code>watch.objectives</code>.
            </EmptyState>
          )}
          {objectives && objectives.length > 0 && (
            <table className="w-full text-sm">
              <thead className="border-b border-line text-xs text-faint">
                <tr>
                  {titles.map(({ title, className }) => (
                    <th key={title} scope="col" className={cx(cell, 'py-2 font-medium', className)}>
                      {title}
                    </th>
                  ))}
                </tr>
              </thead>
              <tbody className="divide-y divide-line">
                {objectives.map((one) => (
                  <Row key={one.name} objective={one} onOpen={() => choose(one.name)} />
                ))}
              </tbody>
            </table>
          )}
        </div>
      </div>
      {making && <Editor onClose={() => setMaking(false)} />}
      {name !== undefined && <Detail name={name} onClose={() => choose()} />}
    </>
  );
}
