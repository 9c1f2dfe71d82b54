import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { readDefinition } from '@/shared/format/definition';
import { compactJson } from '@/shared/format/json';
import { Button } from '@/shared/ui/button';
import { DefinitionField } from '@/shared/ui/definition-field';
import { Dialog } from '@/shared/ui/dialog';

import { type Definition, saveMonitor } from '../queries';
import { Tested } from './tested';

/** Where most people begin. */
const example: Definition = {
  name: 'error-rate',
  query: {
    measures: [
      { fn: 'count', as: 'bad', filter: { field: 'status', op: '=', value: 'error' } },
      { fn: 'count', as: 'all' },
    ],
    group_by: ['model'],
  },
  value: { of: 'bad', over: 'all' },
  window: '5m',
  min_samples: 20,
  condition: { threshold: { above: 0.05, recover: 0.03 } },
  for: 2,
  severity: 'critical',
  notify: [],
};

/** Makes a monitor, or changes one; shows what it would have said before it is saved. */
export function Editor({
  open,
  onClose,
  initial,
}: {
  open: boolean;
  onClose: () => void;
  initial?: Definition;
}) {
  const [text, setText] = useState(() => compactJson(initial ?? example, 60));
  const [tested, setTested] = useState<Definition>();
  const queryClient = useQueryClient();
  const definition = readDefinition(text);
  const sound = typeof definition !== 'string';
  const save = useMutation({
    mutationFn: (one: Definition) => saveMonitor(typeof one.name === 'string' ? one.name : '', one),
    onSuccess: async () => {
      onClose();
      await queryClient.invalidateQueries({ queryKey: ['monitors'] });
    },
  });
  return (
    <Dialog
      open={open}
      onOpenChange={(next) => !next && onClose()}
      title={initial ? 'Change the monitor' : 'New monitor'}
      description="The same fields as in the configuration file. Conditions: threshold, baseline, change, absence, sequential, burn_rate, composite."
      size="huge"
    >
      <div className="grid gap-5 lg:grid-cols-2">
        <div>
          <DefinitionField
            text={text}
            onChange={setText}
            problem={sound ? undefined : definition}
            refusal={save.error}
          />
          <div className="mt-2 flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button disabled={!sound} onClick={() => sound && setTested(definition)}>
              Try on the last 7 days
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
          <h3 className="mb-2 text-sm font-medium">What it would have said</h3>
          {tested ? (
            <Tested definition={tested} last="7d" />
          ) : (
            <p className="rounded-md border border-dashed border-line p-8 text-center text-sm text-muted">
              Try it, and see how often it would have fired, with the band or the limit drawn over history.
            </p>
          )}
        </div>
      </div>
    </Dialog>
  );
}
