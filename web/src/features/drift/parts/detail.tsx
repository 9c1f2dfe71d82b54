import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { ArrowLeft, RotateCw } from 'lucide-react';
import { useState } from 'react';

import { LooksOn } from '@/shared/data/looks-on';
import { exactTime, formatAgo, formatIn } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button, IconButton } from '@/shared/ui/button';
import { Definition } from '@/shared/ui/definition';
import { ChangeOrDelete } from '@/shared/ui/change-or-delete';
import { Card, PageHeader } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { checkQuery, deleteCheck, runCheck } from '../queries';
import type { Check } from '../types';
import { gapIn, stateOf } from '../view';
import { Editor } from './editor';
import { Results } from './results';

function Actions({ check, onBack, onEdit }: { check: Check; onBack: () => void; onEdit: () => void }) {
  const queryClient = useQueryClient();
  const run = useMutation({
    mutationFn: () => runCheck(check.name),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: ['drift'] }),
  });
  return (
    <>
      {run.error && (
        <span role="alert" className="text-sm text-error">
          {run.error.message}
        </span>
      )}
      {check.source === 'api' && (
        <ChangeOrDelete
          title={`Delete the drift check “${check.name}”?`}
          about="It doesn’t compare any more, and its trends are gone. Incidents of before stay."
          remove={() => deleteCheck(check.name)}
          of="drift"
          onGone={onBack}
          onEdit={onEdit}
        />
      )}
      <Button look="primary" disabled={run.isPending} onClick={() => run.mutate()}>
        <RotateCw size={14} aria-hidden className={run.isPending ? 'animate-spin' : undefined} />
        {run.isPending ? 'Comparing…' : 'Compare now'}
      </Button>
    </>
  );
}

/** One check: what its latest comparison found, how each signal has gone, and what it is. */
export function Detail({ name, onBack }: { name: string; onBack: () => void }) {
  const [editing, setEditing] = useState(false);
  const answer = useQuery(checkQuery(name));
  const check = answer.data;
  const state = check && stateOf(check);
  const description = check?.definition.description;
  const model = check?.definition.embedding_model;
  return (
    <>
      <title>{`${name} · Drift · Signalbox`}</title>
      <PageHeader
        title={
          <span className="flex items-center gap-2">
            <IconButton label="All drift checks" onClick={onBack} className="-ml-1.5">
              <ArrowLeft size={16} />
            </IconButton>
            {name}
            {state && <Badge tone={state.tone}>{state.word}</Badge>}
          </span>
        }
      >
        {check && <Actions check={check} onBack={onBack} onEdit={() => setEditing(true)} />}
      </PageHeader>
      <LooksOn />
      <div className="min-h-0 flex-1 space-y-4 overflow-y-auto p-5">
        {answer.isPending && <Skeleton className="h-96 w-full" />}
        {answer.isError && <ErrorState error={answer.error} retry={() => void answer.refetch()} />}
        {check && (
          <>
            <div className="flex flex-wrap items-baseline gap-x-4 gap-y-1 text-sm text-muted">
              {typeof description === 'string' && <p className="max-w-2xl">{description}</p>}
              <p className="num text-xs text-faint" title={exactTime(check.next_at)}>
                {check.last && `compared ${formatAgo(check.last.at)}, `}next {formatIn(check.next_at)}
              </p>
              {typeof model === 'string' && <p className="text-xs text-faint">embedding by {model}</p>}
              {check.firing && (
                <Link to="/incidents" search={{}} className="text-xs text-accent hover:underline">
                  Open incidents
                </Link>
              )}
            </div>
            {check.problem && check.problem !== gapIn(check.last) && (
              <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-sm text-error">
                It can’t be compared: {check.problem}
              </p>
            )}
            {check.last ? (
              <Results result={check.last} trends={check.trends} />
            ) : (
              <Card>
                <EmptyState title="Nothing has been compared yet" className="py-16">
                  The first comparison is made within seconds, if there is enough of both windows. Or compare
                  now.
                </EmptyState>
              </Card>
            )}
            <div className="px-1">
              <Definition
                value={check.definition}
                note={
                  check.source === 'config'
                    ? 'It stands in the configuration file or in the starter set, and is changed there.'
                    : undefined
                }
              />
            </div>
          </>
        )}
      </div>
      {editing && check && <Editor initial={check.definition} onClose={() => setEditing(false)} />}
    </>
  );
}
