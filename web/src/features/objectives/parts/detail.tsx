import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';

import type { Incident } from '@/api/types';
import { exactTime, formatAgo, formatRange } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Definition } from '@/shared/ui/definition';
import { ChangeOrDelete } from '@/shared/ui/change-or-delete';
import { Dialog } from '@/shared/ui/dialog';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { deleteObjective, incidentsOf, objectiveQuery } from '../queries';
import { freezeBelow, meaning, percent, phaseTone, until } from '../state';
import type { Objective, Standing } from '../types';
import { BudgetBar, Rates } from './budget';
import { BurnDown } from './burn-down';
import { Editor } from './editor';

const count = (value: number): string => Number(value.toFixed(1)).toLocaleString('en');

function Figure({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="min-w-0 rounded-md border border-line px-3 py-2">
      <dt className="text-xs text-faint">{title}</dt>
      <dd className="num mt-0.5 truncate font-medium">{children}</dd>
    </div>
  );
}

function Figures({ standing }: { standing: Standing }) {
  return (
    <dl className="grid grid-cols-2 gap-2 text-sm sm:grid-cols-4">
      <Figure title="Attained">
        {standing.attained === undefined ? '–' : percent(standing.attained, standing.objective)}
      </Figure>
      <Figure title="Objective">{percent(standing.objective, standing.objective)}</Figure>
      <Figure title="Bad / allowed">
        {count(standing.bad)} / {count(standing.budget)}
      </Figure>
      <Figure title="Spent in">
        {standing.budget_left <= 0 ? 'spent' : standing.spent_at ? until(standing.spent_at) : 'not in sight'}
      </Figure>
    </dl>
  );
}

const severityTone = { critical: 'error', error: 'error', warning: 'warn', info: 'info' } as const;

function Incidents({ monitor }: { monitor: string }) {
  const answer = useQuery(incidentsOf(monitor));
  const incidents: Incident[] | undefined = answer.data?.incidents;
  return (
    <section>
      <h3 className="mb-1.5 text-sm font-medium">Incidents</h3>
      {answer.isPending && <Skeleton className="h-8 w-full" />}
      {answer.isError && <ErrorState error={answer.error} className="p-3" />}
      {incidents?.length === 0 && <p className="text-sm text-muted">Its monitor has told nobody yet.</p>}
      <ul className="max-h-48 divide-y divide-line overflow-y-auto rounded-md border border-line text-sm empty:hidden">
        {incidents?.map((incident) => (
          <li key={incident.id}>
            <Link
              to="/incidents"
              search={{ show: 'all', id: incident.id }}
              className="flex items-center gap-2 px-3 py-2 hover:bg-hover"
            >
              <Badge tone={severityTone[incident.severity]}>{incident.severity}</Badge>
              <span className="min-w-0 flex-1 truncate" title={incident.title}>
                {incident.title}
              </span>
              <span className="text-xs text-muted">{incident.status}</span>
              <span className="num shrink-0 text-xs text-faint" title={exactTime(incident.opened_at)}>
                {formatAgo(incident.opened_at)}
              </span>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}

function Changes({
  objective,
  onEdit,
  onGone,
}: {
  objective: Objective;
  onEdit: () => void;
  onGone: () => void;
}) {
  if (objective.source === 'config')
    return (
      <p className="text-xs text-muted">
        {objective.name.startsWith('starter.')
          ? 'It is there from the start. One of your own in the configuration file that has its name takes its place.'
          : 'It stands in the configuration file, and is changed there.'}
      </p>
    );
  return (
    <ChangeOrDelete
      title={`Delete the objective “${objective.name}”?`}
      about="Its budget isn’t counted any more, its monitor goes with it, and releases don’t wait for it."
      remove={() => deleteObjective(objective.name)}
      of="objectives"
      onGone={onGone}
      onEdit={onEdit}
    />
  );
}

/** One objective: what is left of its budget, how it was spent, and what it is. */
export function Detail({ name, onClose }: { name: string; onClose: () => void }) {
  const [editing, setEditing] = useState(false);
  const answer = useQuery(objectiveQuery(name));
  const objective = answer.data;
  if (editing && objective)
    return <Editor onClose={() => setEditing(false)} initial={objective.definition} />;
  const standing = objective?.standing;
  const description = objective?.definition.description;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={name}
      description={
        objective && (typeof description === 'string' ? description : meaning(objective.definition))
      }
      size="huge"
    >
      {answer.isPending && <Skeleton className="h-72 w-full" />}
      {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
      {objective && (
        <div className="grid gap-5 lg:grid-cols-2">
          <div className="min-w-0 space-y-4">
            {objective.problem && (
              <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-sm text-error">
                Its budget can’t be counted: {objective.problem}
              </p>
            )}
            {standing && (
              <>
                <Figures standing={standing} />
                <div className="space-y-2">
                  <BudgetBar left={standing.budget_left} freeze={freezeBelow(objective.definition)} />
                  <div className="flex flex-wrap items-center gap-2">
                    <Rates rates={standing.burn_rates} />
                    {standing.frozen && <Badge tone="error">releases wait</Badge>}
                  </div>
                  <p className="text-sm text-muted first-letter:uppercase">{standing.text}.</p>
                </div>
              </>
            )}
            <p className="flex flex-wrap items-center gap-2 text-sm text-muted">
              <Badge tone={phaseTone[objective.phase]}>{objective.phase}</Badge>
              <span>
                says its monitor,{' '}
                <Link
                  to="/monitors"
                  search={{ name: objective.monitor }}
                  className="text-accent hover:underline"
                >
                  {objective.monitor}
                </Link>
              </span>
            </p>
            <Incidents monitor={objective.monitor} />
          </div>
          <section className="min-w-0">
            <h3 className="mb-2 text-sm font-medium">
              Burn-down
              {standing && (
                <span className="num font-normal text-muted">
                  , {formatRange(standing.from, standing.to)}
                </span>
              )}
            </h3>
            {standing ? (
              <BurnDown standing={standing} definition={objective.definition} />
            ) : (
              <p className="text-sm text-muted">Nothing has been counted yet; it is, once a minute.</p>
            )}
          </section>
        </div>
      )}
      {objective && (
        <footer className="mt-5 space-y-3 border-t border-line pt-4">
          <Definition value={objective.definition} />
          <Changes objective={objective} onEdit={() => setEditing(true)} onGone={onClose} />
        </footer>
      )}
    </Dialog>
  );
}
