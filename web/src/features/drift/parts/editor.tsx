import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import { readDefinition } from '@/shared/format/definition';
import { compactJson } from '@/shared/format/json';
import { Button } from '@/shared/ui/button';
import { DefinitionField } from '@/shared/ui/definition-field';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { saveCheck, testCheck } from '../queries';
import type { Definition } from '../types';
import { Results } from './results';

/** Where most people begin. */
const example: Definition = {
  name: 'inputs',
  current: '1d',
  reference: { ago: '7d', width: '28d' },
  segment_by: 'model',
  every: '1d',
  scores: [],
  severity: 'warning',
  notify: [],
};

/** Makes a check, or changes one; compares now before it is saved. */
export function Editor({
  onClose,
  onSaved,
  initial,
}: {
  onClose: () => void;
  onSaved?: (name: string) => void;
  initial?: Definition;
}) {
  const [text, setText] = useState(() => compactJson(initial ?? example, 60));
  const queryClient = useQueryClient();
  const definition = readDefinition(text);
  const sound = typeof definition !== 'string';
  const tried = useMutation({ mutationFn: testCheck });
  const save = useMutation({
    mutationFn: (one: Definition) => saveCheck(typeof one.name === 'string' ? one.name : '', one),
    onSuccess: async (saved) => {
      onClose();
      onSaved?.(saved.name);
      await queryClient.invalidateQueries({ queryKey: ['drift'] });
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(next) => !next && onClose()}
      title={initial ? 'Change the drift check' : 'New drift check'}
      description="The same fields as in the configuration file. Without signals, all of which there is enough are compared."
      size="huge"
    >
      <div className="space-y-4">
        <div>
          <DefinitionField
            text={text}
            onChange={setText}
            problem={sound ? undefined : definition}
            refusal={save.error}
          />
          <Field
            label="Embedding model"
            hint="Optional: a model or route that makes embeddings. With it the signal embedding compares what inputs mean; without it, their letters. It is asked through the gateway for 500 inputs of each side at most."
            placeholder="openai/text-embedding-3-small"
            disabled={!sound}
            value={sound && typeof definition.embedding_model === 'string' ? definition.embedding_model : ''}
            onChange={(event) => {
              if (!sound) return;
              const embedding_model = event.target.value || undefined;
              setText(compactJson({ ...definition, embedding_model }, 60));
            }}
          />
          <div className="mt-2 flex justify-end gap-2">
            <Button onClick={onClose}>Cancel</Button>
            <Button disabled={!sound || tried.isPending} onClick={() => sound && tried.mutate(definition)}>
              {tried.isPending ? 'Comparing…' : 'Compare now'}
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
        {tried.isPending && <Skeleton className="h-64 w-full" />}
        {tried.isError && <ErrorState error={tried.error} className="p-4" />}
        {tried.data && <Results result={tried.data} />}
        {tried.isIdle && (
          <p className="rounded-md border border-dashed border-line p-8 text-center text-sm text-muted">
            Compare now, and see what it would say of the current window. Nothing is kept and nobody is told.
          </p>
        )}
      </div>
    </Dialog>
  );
}
