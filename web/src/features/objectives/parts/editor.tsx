import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { readDefinition } from '@/shared/format/definition';
import { compactJson } from '@/shared/format/json';
import { formatTime } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { DefinitionField } from '@/shared/ui/definition-field';
import { Dialog } from '@/shared/ui/dialog';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { saveObjective, testQuery } from '../queries';
import { freezeBelow, meaning, percent } from '../state';
import type { Definition } from '../types';
import { BudgetBar } from './budget';
import { BurnDown } from './burn-down';

const named = (name: string, good: object, more?: object): Definition => ({
  name,
  good,
  objective: 0.99,
  period: '30d',
  freeze_below: 0.1,
  notify: [],
  ...more,
});

/** Where most people begin. */
const examples: { title: string; definition: Definition }[] = [
  { title: 'Availability', definition: named('answers', { availability: {} }) },
  { title: 'Latency', definition: named('quick', { latency: { under: '5s' } }, { objective: 0.95 }) },
  { title: 'First token', definition: named('first-token', { ttft: { under: '1s' } }, { objective: 0.95 }) },
  {
    title: 'Groundedness',
    definition: named(
      'grounded',
      { score: { name: 'groundedness', at_least: 0.7 } },
      { objective: 0.95, min_bad: 10 },
    ),
  },
  { title: 'Cost', definition: named('cheap', { cost: { under: 0.02 } }, { objective: 0.95 }) },
  {
    title: 'Any ratio',
    definition: named('tools', {
      ratio: {
        query: {
          filter: { field: 'kind', op: '=', value: 'tool' },
          measures: [
            { fn: 'count', as: 'failed', filter: { field: 'status', op: '=', value: 'error' } },
            { fn: 'count', as: 'all' },
          ],
        },
        bad: 'failed',
        over: 'all',
      },
    }),
  },
];

const written = (definition: Definition): string => compactJson(definition, 60);

/** Makes an objective, or changes one; shows what it would have been before it is saved. */
export function Editor({ onClose, initial }: { onClose: () => void; initial?: Definition }) {
  const [text, setText] = useState(() => written(initial ?? examples[0]?.definition ?? {}));
  const [tried, setTried] = useState<Definition>();
  const queryClient = useQueryClient();
  const definition = readDefinition(text);
  const sound = typeof definition !== 'string';
  const save = useMutation({
    mutationFn: (one: Definition) => saveObjective(typeof one.name === 'string' ? one.name : '', one),
    onSuccess: async () => {
      onClose();
      await queryClient.invalidateQueries({ queryKey: ['objectives'] });
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(next) => !next && onClose()}
      title={initial ? 'Change the objective' : 'New objective'}
      description="The same fields as in the configuration file: which share of what must be good, over which time."
      size="huge"
    >
      <div className="grid gap-5 lg:grid-cols-2">
        <div>
          {!initial && (
            <div className="mb-2 flex flex-wrap gap-1.5" role="group" aria-label="Examples">
              {examples.map((one) => (
                <Button key={one.title} size="sm" onClick={() => setText(written(one.definition))}>
                  {one.title}
                </Button>
              ))}
            </div>
          )}
          <DefinitionField
            text={text}
            onChange={setText}
            problem={sound ? undefined : definition}
            refusal={save.error}
          />
          <div className="mt-2 flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button disabled={!sound} onClick={() => sound && setTried(definition)}>
              Try on its period
            </Button>
            <Button
              look="primary"
              disabled={!sound || save.isPending}
              onClick={() => sound && save.mutate(definition)}
            >
              {save.isPending ? 'Saving…' : 'Save'}
            </Button>
          </div>
        </div>
        <div className="min-w-0">
          <h3 className="mb-2 text-sm font-medium">What it would have been</h3>
          {tried ? (
            <Tried definition={tried} />
          ) : (
            <p className="rounded-md border border-dashed border-line p-8 text-center text-sm text-muted">
              Try it, and see what would be left of its budget now, and when somebody would have been told.
            </p>
          )}
        </div>
      </div>
    </Dialog>
  );
}

function Tried({ definition }: { definition: Definition }) {
  const answer = useQuery(testQuery(definition));
  if (answer.isPending) return <Skeleton className="h-64 w-full" />;
  if (answer.isError) return <ErrorState error={answer.error} className="p-4" />;
  const { standing, firings } = answer.data;
  return (
    <div className="space-y-4">
      <div className="space-y-2 rounded-md border border-line p-3">
        <p className="flex flex-wrap items-baseline gap-2 text-sm">
          <strong>{meaning(definition)}</strong>
          {standing.attained !== undefined && (
            <span className="num text-muted">
              {percent(standing.attained, standing.objective)} were attained
            </span>
          )}
          {standing.frozen && <Badge tone="error">releases would wait</Badge>}
        </p>
        <BudgetBar left={standing.budget_left} freeze={freezeBelow(definition)} />
        <p className="text-xs text-muted first-letter:uppercase">{standing.text}.</p>
      </div>
      <BurnDown standing={standing} definition={definition} />
      <div className="text-sm">
        <p>
          Somebody would have been told{' '}
          <strong className={firings.length > 0 ? 'text-error' : 'text-ok'}>
            {firings.length} {firings.length === 1 ? 'time' : 'times'}
          </strong>
          .
        </p>
        <ul className="mt-1 space-y-0.5 text-xs">
          {firings.slice(-5).map((firing) => (
            <li key={firing.from} className="flex gap-2">
              <span className="num shrink-0 text-error">{formatTime(firing.from)}</span>
              <span className="truncate text-muted" title={firing.text}>
                {firing.text}
              </span>
            </li>
          ))}
        </ul>
      </div>
    </div>
  );
}
