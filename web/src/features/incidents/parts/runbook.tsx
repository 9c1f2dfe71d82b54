import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Zap } from 'lucide-react';
import { useState } from 'react';

import { LongText } from '@/shared/chat/text';
import { formatTime } from '@/shared/time/format';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';

import { type FullIncident, meaning, withBreaks } from '../context';
import { runAction } from '../queries';
import { Heading } from './heading';

/** What to do: words, and buttons for what can be done from here. */
export function Runbook({ incident }: { incident: FullIncident }) {
  const [chosen, setChosen] = useState<number>();
  const queryClient = useQueryClient();
  const run = useMutation({
    mutationFn: (number: number) => runAction(incident.id, number),
    onSuccess: () => setChosen(undefined),
    // Also what failed is in the timeline.
    onSettled: () => queryClient.invalidateQueries({ queryKey: ['incidents'] }),
  });
  const actions = incident.actions ?? [];
  const action = chosen === undefined ? undefined : actions[chosen];
  if (!incident.runbook && actions.length === 0) return null;
  const close = (): void => {
    setChosen(undefined);
    run.reset();
  };
  return (
    <>
      <Heading>Runbook</Heading>
      {incident.runbook && (
        <div className="rounded-md border border-line bg-sunken px-3 py-2 text-sm break-words">
          <LongText text={withBreaks(incident.runbook)} />
        </div>
      )}
      {actions.length > 0 && (
        <ul className="mt-2 flex flex-wrap gap-2">
          {actions.map((one, i) => (
            <li key={`${i} ${one.name}`}>
              <Button
                onClick={() => setChosen(i)}
                disabled={incident.status === 'resolved'}
                title={
                  incident.status === 'resolved'
                    ? 'The incident is over'
                    : one.done_at
                      ? `Done at ${formatTime(one.done_at)}`
                      : meaning(one)
                }
              >
                <Zap size={14} aria-hidden /> {one.name}
                {one.done_at && <span className="text-xs text-ok">done</span>}
              </Button>
            </li>
          ))}
        </ul>
      )}
      <Dialog
        open={action !== undefined}
        onOpenChange={(open) => !open && close()}
        title={action?.name ?? ''}
        description={action && meaning(action)}
      >
        {run.isError && (
          <p role="alert" className="mb-3 text-sm text-error">
            {run.error.message}
          </p>
        )}
        <div className="flex justify-end gap-2">
          <Button onClick={close}>Cancel</Button>
          <Button
            look={action && 'disable_key' in action.does ? 'danger' : 'primary'}
            disabled={run.isPending || chosen === undefined}
            onClick={() => chosen !== undefined && run.mutate(chosen)}
          >
            {run.isPending ? 'Doing it…' : action?.done_at ? 'Do it again' : 'Do it'}
          </Button>
        </div>
      </Dialog>
    </>
  );
}
