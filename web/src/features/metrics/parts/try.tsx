import { useMutation } from '@tanstack/react-query';
import { Braces, RotateCcw } from 'lucide-react';
import { useEffect, useRef, useState } from 'react';

import type { MetricAbout, MetricScore } from '@/api/types';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { Button } from '@/shared/ui/button';
import { CodeTabs } from '@/shared/ui/code-tabs';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Card } from '@/shared/ui/page';
import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

import { type Draft, draftOf, type Field, inputsOf, read, snippetsOf } from '../draft';
import { evaluate } from '../queries';
import { Result } from './result';

/** Typing pauses for so long before it is measured. */
const pauseMs = 200;

function InputField({
  name,
  field,
  optional,
  problem,
  onChange,
}: {
  name: string;
  field: Field;
  optional: boolean;
  problem?: string;
  onChange: (field: Field) => void;
}) {
  return (
    <div>
      <div className="mb-1 flex items-center gap-2">
        <label htmlFor={`try-${name}`} className="font-mono text-xs font-medium">
          {name}
        </label>
        {optional && <span className="text-2xs text-faint">optional</span>}
        <button
          type="button"
          aria-pressed={field.json}
          onClick={() => onChange({ ...field, json: !field.json })}
          title={field.json ? 'Read as JSON: a list, an object, a number' : 'Read as a text, as it stands'}
          className={cx(
            'ml-auto flex h-5 items-center gap-1 rounded-sm px-1.5 text-2xs font-medium',
            field.json ? 'bg-accent-soft text-accent' : 'text-faint hover:bg-hover hover:text-ink',
          )}
        >
          <Braces size={11} aria-hidden /> JSON
        </button>
      </div>
      <textarea
        id={`try-${name}`}
        value={field.text}
        onChange={(event) => onChange({ ...field, text: event.target.value })}
        rows={Math.min(8, Math.max(2, field.text.split('\n').length))}
        spellCheck={false}
        aria-invalid={problem !== undefined}
        className={cx(
          inputClass,
          'field-sizing-content h-auto max-h-72 min-h-14 resize-y py-2 text-xs leading-5',
          field.json && 'font-mono',
          problem !== undefined && 'border-error',
        )}
      />
      {problem !== undefined && (
        <p role="alert" className="mt-1 text-xs text-error">
          {problem}
        </p>
      )}
    </div>
  );
}

function Options({
  metric,
  draft,
  onChange,
}: {
  metric: MetricAbout;
  draft: Draft;
  onChange: (draft: Draft) => void;
}) {
  const set = (name: string, value: string): void =>
    onChange({ ...draft, options: { ...draft.options, [name]: value } });
  return (
    <fieldset className="border-t border-line pt-3">
      <legend className="sr-only">Options</legend>
      <div className="grid gap-3 sm:grid-cols-2">
        {metric.options.map(({ name, default: usual, doc }) => {
          const value = draft.options[name] ?? '';
          const flag = usual === 'true' || usual === 'false';
          const shared = {
            id: `option-${name}`,
            value,
            className: inputClass,
            'aria-describedby': `doc-${name}`,
          };
          return (
            <div key={name}>
              <label htmlFor={`option-${name}`} className="mb-1 block font-mono text-xs font-medium">
                {name}
              </label>
              {flag ? (
                <select {...shared} onChange={(event) => set(name, event.target.value)}>
                  <option value="">{usual} (default)</option>
                  <option value={usual === 'true' ? 'false' : 'true'}>
                    {usual === 'true' ? 'false' : 'true'}
                  </option>
                </select>
              ) : (
                <input
                  {...shared}
                  placeholder={usual}
                  spellCheck={false}
                  onChange={(event) => set(name, event.target.value)}
                />
              )}
              <p id={`doc-${name}`} className="mt-0.5 text-2xs text-muted">
                {doc}
              </p>
            </div>
          );
        })}
        <div>
          <label htmlFor="try-threshold" className="mb-1 block font-mono text-xs font-medium">
            threshold
          </label>
          <input
            id="try-threshold"
            inputMode="decimal"
            value={draft.threshold}
            placeholder={String(metric.threshold)}
            onChange={(event) => onChange({ ...draft, threshold: event.target.value })}
            className={inputClass}
          />
          <p className="mt-0.5 text-2xs text-muted">what passes, itself included</p>
        </div>
      </div>
    </fieldset>
  );
}

interface Measured {
  values: Record<string, unknown>;
  score: MetricScore;
  threshold: number;
}

/** A case to try a metric with, and what it says as one types. */
export function Try({ metric }: { metric: MetricAbout }) {
  const [draft, setDraft] = useState(() => draftOf(metric));
  const [shown, setShown] = useState<Measured>();
  const form = useRef<HTMLDivElement>(null);
  const { mutate, error, isError, isPending } = useMutation({ mutationFn: evaluate });
  const now = read(metric, draft);
  const body = 'ask' in now ? JSON.stringify(now.ask) : undefined;
  useEffect(() => {
    if (body === undefined) return;
    const ask = JSON.parse(body) as Parameters<typeof evaluate>[0];
    const timer = setTimeout(
      () =>
        mutate(ask, {
          onSuccess: ({ results }) => {
            const score = results[0]?.scores[0];
            const [setting] = ask.metrics;
            const threshold =
              (typeof setting === 'object' ? setting.threshold : undefined) ?? metric.threshold;
            if (score) setShown({ values: ask.cases[0] ?? {}, score, threshold });
          },
        }),
      pauseMs,
    );
    return () => clearTimeout(timer);
  }, [body, metric, mutate]);
  useShortcuts([
    {
      keys: 'e',
      label: 'Try the metric',
      group: 'Metrics',
      run: () => form.current?.querySelector('textarea')?.focus(),
    },
  ]);

  const problems = 'problems' in now ? now.problems : {};
  return (
    <div className="grid items-start gap-4 xl:grid-cols-2">
      <Card
        title="Try it"
        aside={
          <Button size="sm" look="ghost" onClick={() => setDraft(draftOf(metric))}>
            <RotateCcw size={12} aria-hidden /> The example
          </Button>
        }
      >
        <div ref={form} className="flex flex-col gap-3 px-4 pb-4">
          {inputsOf(metric).map((name) => (
            <InputField
              key={name}
              name={name}
              field={draft.fields[name] ?? { text: '', json: false }}
              optional={metric.optional_inputs.includes(name)}
              problem={problems[name]}
              onChange={(field) => setDraft({ ...draft, fields: { ...draft.fields, [name]: field } })}
            />
          ))}
          <Options metric={metric} draft={draft} onChange={setDraft} />
          {problems.threshold !== undefined && (
            <p role="alert" className="text-xs text-error">
              threshold: {problems.threshold}
            </p>
          )}
        </div>
      </Card>
      <div className="flex min-w-0 flex-col gap-4">
        <Card
          title="Result"
          aside={<span className="pr-2 text-xs text-faint">measured as you type; kept nowhere</span>}
        >
          <div className="px-4 pb-4">
            {isError && <ErrorState error={error} className="rounded-md bg-sunken" />}
            {!isError && shown && (
              <Result metric={metric} {...shown} stale={isPending || body === undefined} />
            )}
            {!isError && !shown && <Skeleton className="h-20" />}
          </div>
        </Card>
        {'ask' in now && (
          <Card title="The same from elsewhere">
            <div className="px-4 pb-4">
              <CodeTabs label="Ways to ask" snippets={snippetsOf(metric, now.ask, window.location.origin)} />
            </div>
          </Card>
        )}
      </div>
    </div>
  );
}
