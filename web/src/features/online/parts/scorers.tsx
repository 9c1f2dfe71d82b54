import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';

import type { MetricAbout, OnlineScorer } from '@/api/types';
import { Badge } from '@/shared/ui/badge';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Popover } from '@/shared/ui/popover';

import { metricsFor } from '../draft';

/** A value as it is typed: numbers, truth values and lists are what they look like. */
function readValue(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

const written = (value: unknown): string =>
  value === undefined ? '' : typeof value === 'string' ? value : JSON.stringify(value);

function Settings({
  scorer,
  about,
  onChange,
}: {
  scorer: OnlineScorer;
  about: MetricAbout;
  onChange: (scorer: OnlineScorer) => void;
}) {
  const { metric, name, threshold } = scorer;
  const options = (scorer.options ?? {}) as Record<string, unknown>;
  const change = (next: Record<string, unknown>, limit: number | undefined): void =>
    onChange({
      metric,
      ...(name !== undefined && { name }),
      ...(Object.keys(next).length > 0 && { options: next as OnlineScorer['options'] }),
      ...(limit !== undefined && { threshold: limit }),
    });
  return (
    <div className="grid grid-cols-2 gap-x-3 gap-y-2 border-t border-line px-3 py-2.5">
      <label className="block">
        <span className="mb-1 block text-2xs text-muted">
          passes at {about.direction === 'lower' ? 'or below' : 'or above'}
        </span>
        <input
          type="number"
          step="any"
          value={threshold ?? ''}
          placeholder={String(about.threshold)}
          className={cx(inputClass, 'num h-7 text-xs')}
          onChange={(event) =>
            change(options, event.target.value === '' ? undefined : event.target.valueAsNumber)
          }
        />
      </label>
      {about.options.map((option) => (
        <label key={option.name} className="block" title={option.doc}>
          <span className="mb-1 block truncate text-2xs text-muted">{option.name}</span>
          <input
            value={written(options[option.name])}
            placeholder={option.default}
            spellCheck={false}
            className={cx(inputClass, 'h-7 font-mono text-xs')}
            onChange={(event) => {
              const others = Object.entries(options).filter(([key]) => key !== option.name);
              const text = event.target.value;
              const set: [string, unknown][] = text === '' ? [] : [[option.name, readValue(text)]];
              change(Object.fromEntries([...others, ...set]), threshold);
            }}
          />
        </label>
      ))}
    </div>
  );
}

function Picker({ metrics, onPick }: { metrics: readonly MetricAbout[]; onPick: (name: string) => void }) {
  const [search, setSearch] = useState('');
  const found = metricsFor(metrics, search);
  return (
    <div className="flex w-96 max-w-[80vw] flex-col">
      <input
        autoFocus
        aria-label="Search metrics"
        placeholder="Search metrics…"
        value={search}
        className={cx(inputClass, 'm-2 w-auto')}
        onChange={(event) => setSearch(event.target.value)}
        onKeyDown={(event) => {
          if (event.key !== 'Enter') return;
          event.preventDefault();
          if (found[0]) onPick(found[0].name);
        }}
      />
      <ul className="max-h-72 overflow-y-auto pb-1">
        {found.map((metric) => (
          <li key={metric.name}>
            <button
              type="button"
              className="flex w-full flex-col gap-0.5 px-3 py-1.5 text-left hover:bg-hover focus-visible:bg-hover"
              onClick={() => onPick(metric.name)}
            >
              <span className="flex items-center gap-2">
                <span className="font-mono text-xs font-medium">{metric.name}</span>
                <span className="ml-auto text-2xs text-faint">{metric.inputs.join(', ')}</span>
              </span>
              <span className="text-xs text-muted">{metric.summary}</span>
            </button>
          </li>
        ))}
        {found.length === 0 && <li className="px-3 py-2 text-xs text-muted">No metric has these words.</li>}
      </ul>
    </div>
  );
}

/** What gives the scores. */
export function Scorers({
  scorers,
  metrics,
  onChange,
}: {
  scorers: OnlineScorer[];
  metrics: readonly MetricAbout[] | undefined;
  onChange: (scorers: OnlineScorer[]) => void;
}) {
  const [open, setOpen] = useState(false);
  return (
    <div className="flex flex-col gap-2">
      {scorers.map((scorer, at) => {
        const about = metrics?.find((metric) => metric.name === scorer.metric);
        return (
          <div key={`${scorer.metric} ${at}`} className="rounded-md border border-line">
            <div className="flex items-center gap-2 py-1 pr-1 pl-3">
              <span className="font-mono text-xs font-medium">{scorer.metric}</span>
              {about && <Badge>{about.family}</Badge>}
              <span className="truncate text-xs text-muted">{about?.summary}</span>
              <IconButton
                label={`Remove ${scorer.metric}`}
                className="ml-auto"
                onClick={() => onChange(scorers.filter((_, i) => i !== at))}
              >
                <Trash2 size={13} aria-hidden />
              </IconButton>
            </div>
            {about && (
              <Settings
                scorer={scorer}
                about={about}
                onChange={(next) => onChange(scorers.map((one, i) => (i === at ? next : one)))}
              />
            )}
          </div>
        );
      })}
      <Popover
        label="Add a scorer"
        open={open}
        onOpenChange={setOpen}
        trigger={
          <Button size="sm" className="self-start" disabled={!metrics}>
            <Plus size={13} aria-hidden /> Add a scorer
          </Button>
        }
      >
        <Picker
          metrics={metrics ?? []}
          onPick={(name) => {
            setOpen(false);
            const taken = scorers.filter((one) => one.metric === name).length;
            onChange([...scorers, { metric: name, ...(taken > 0 && { name: `${name}-${taken + 1}` }) }]);
          }}
        />
      </Popover>
    </div>
  );
}
