import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';

import { FilterBar } from '@/shared/filter/filter-bar';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Dialog } from '@/shared/ui/dialog';
import { Field, inputClass } from '@/shared/ui/field';

import { type Draft, formatRate, inputs, lacks, ruleOf, stopOf, stops, unmapped } from '../draft';
import { metricsQuery, rulesQuery, saveRule } from '../queries';
import { Trial } from './trial';
import { Scorers } from './scorers';

export interface Edited {
  /** The version that is changed; 0 for a new rule. */
  base: number;
  draft: Draft;
}

const aDay = { from: 'now-24h', to: 'now' };

function Section({ title, hint, children }: { title: string; hint?: string; children: ReactNode }) {
  return (
    <section className="flex flex-col gap-2" aria-label={title}>
      <h3 className="text-sm font-semibold">
        {title}
        {hint !== undefined && <span className="ml-2 text-xs font-normal text-faint">{hint}</span>}
      </h3>
      {children}
    </section>
  );
}

function Sample({ rate, onChange }: { rate: number; onChange: (rate: number) => void }) {
  return (
    <div className="flex items-center gap-3">
      <input
        type="range"
        aria-label="Part of all traces that is scored"
        aria-valuetext={formatRate(rate)}
        min={0}
        max={stops.length - 1}
        step={1}
        value={stopOf(rate)}
        onChange={(event) => onChange(stops[event.target.valueAsNumber] ?? 1)}
        className="h-1.5 min-w-0 flex-1 accent-(--accent)"
      />
      <span className="num w-16 text-right text-sm font-medium">{formatRate(rate)}</span>
    </div>
  );
}

function Mapping({
  mapping,
  missing,
  onChange,
}: {
  mapping: Draft['mapping'];
  missing: string[];
  onChange: (mapping: Draft['mapping']) => void;
}) {
  const usual: Record<(typeof inputs)[number], string> = {
    input: 'the last user message',
    output: 'the answer, or its tool calls',
    context: 'what retrievers of the trace found, or the instructions',
    reference: 'nowhere',
    tools: 'the tools that were offered',
    schema: 'nowhere',
    logprobs: 'nowhere',
  };
  return (
    <div className="grid gap-x-3 gap-y-1.5 sm:grid-cols-[5.5rem_minmax(0,1fr)]">
      {inputs.map((input) => (
        <label key={input} className="contents">
          <span className={cx('self-center font-mono text-xs', missing.includes(input) && 'text-warn')}>
            {input}
          </span>
          <input
            value={mapping[input] ?? ''}
            placeholder={usual[input]}
            spellCheck={false}
            className={cx(inputClass, 'h-7 font-mono text-xs', missing.includes(input) && 'border-warn')}
            onChange={(event) => onChange({ ...mapping, [input]: event.target.value })}
          />
        </label>
      ))}
    </div>
  );
}

/** Makes or changes a rule, with what it would do beside it. */
export function Editor({ base, draft: start, onClose }: Edited & { onClose: () => void }) {
  const [draft, setDraft] = useState(start);
  const client = useQueryClient();
  const metrics = useQuery(metricsQuery);
  const set = (change: Partial<Draft>): void => setDraft({ ...draft, ...change });
  const rule = ruleOf(draft);
  const lacking = lacks(draft);
  const missing = unmapped(draft, metrics.data?.metrics ?? []);
  const save = useMutation({
    mutationFn: () => saveRule({ base, rule }),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: rulesQuery.queryKey });
      onClose();
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(stays) => !stays && onClose()}
      size="huge"
      title={base === 0 ? 'New rule' : `Rule “${start.name}”`}
      description="It scores spans as they arrive, and never holds up a call. Scores stand on traces and in Query."
    >
      <form
        className="grid gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]"
        onSubmit={(event) => {
          event.preventDefault();
          // The forms of filters are within this one for React.
          if (event.target !== event.currentTarget) return;
          if (lacking === undefined && rule.name !== '') save.mutate();
        }}
      >
        <div className="flex min-w-0 flex-col gap-5">
          <Field
            label="Name"
            autoFocus={base === 0}
            disabled={base !== 0}
            maxLength={64}
            placeholder="e.g. answers-are-json"
            value={draft.name}
            pattern="[A-Za-z0-9._\-]+"
            hint={
              base === 0
                ? 'Letters, digits, “-”, “_” and “.”. Scores carry it, so it stays.'
                : 'Scores carry it, so it stays.'
            }
            onChange={(event) => set({ name: event.target.value })}
          />
          <Section
            title="Which spans"
            hint={draft.chips.length === 0 && !draft.filter ? 'all calls of language models' : ''}
          >
            {draft.filter ? (
              <div className="flex items-start gap-2">
                <pre className="min-w-0 flex-1 overflow-x-auto rounded-md bg-sunken px-3 py-2 font-mono text-xs">
                  {JSON.stringify(draft.filter, null, 1)}
                </pre>
                <Button size="sm" onClick={() => set({ filter: undefined, chips: [] })}>
                  Start over
                </Button>
              </div>
            ) : (
              <FilterBar chips={draft.chips} range={aDay} onChange={(chips) => set({ chips })} />
            )}
          </Section>
          <Section title="Sample" hint="of traces, the same ones each time">
            <Sample rate={draft.rate} onChange={(rate) => set({ rate })} />
          </Section>
          <Section title="Scorers">
            <Scorers
              scorers={draft.scorers}
              metrics={metrics.data?.metrics}
              onChange={(scorers) => set({ scorers })}
            />
          </Section>
          <Section title="Budget a day" hint="UTC; empty: no limit">
            <div className="grid grid-cols-2 gap-3">
              <Field
                label="US dollars, for judges"
                inputMode="decimal"
                className="num"
                value={draft.usd}
                onChange={(event) => set({ usd: event.target.value })}
              />
              <Field
                label="Scores"
                inputMode="numeric"
                className="num"
                value={draft.scores}
                onChange={(event) => set({ scores: event.target.value })}
              />
            </div>
          </Section>
          <details open={missing.length > 0 || Object.keys(draft.mapping).length > 0}>
            <summary className="cursor-pointer text-sm font-semibold">
              Where inputs stand
              <span className="ml-2 text-xs font-normal text-faint">
                <code>attributes.KEY</code> or a JSON pointer like <code>/input/question</code>
              </span>
            </summary>
            <div className="mt-2">
              <Mapping mapping={draft.mapping} missing={missing} onChange={(mapping) => set({ mapping })} />
              {missing.length > 0 && (
                <p className="mt-2 text-xs text-warn">
                  Spans have no {missing.join(', no ')} by themselves: say where it stands, or nothing is
                  scored.
                </p>
              )}
            </div>
          </details>
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <Trial rule={rule} lacking={lacking} />
          {save.isError && (
            <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-xs break-words text-error">
              {save.error.message}
            </p>
          )}
          <div className="flex items-center justify-end gap-2">
            <label className="mr-auto flex items-center gap-2 text-sm">
              <input
                type="checkbox"
                checked={draft.on}
                className="accent-(--accent)"
                onChange={(event) => set({ on: event.target.checked })}
              />
              Score from now on
            </label>
            <Button onClick={onClose}>Cancel</Button>
            <Button
              type="submit"
              look="primary"
              disabled={lacking !== undefined || rule.name === '' || save.isPending}
            >
              {save.isPending ? 'Saving…' : base === 0 ? 'Make the rule' : `Save as version ${base + 1}`}
            </Button>
          </div>
        </div>
      </form>
    </Dialog>
  );
}
