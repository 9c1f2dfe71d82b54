import { CalendarRange } from 'lucide-react';
import { useState } from 'react';

import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Field } from '@/shared/ui/field';
import { Popover } from '@/shared/ui/popover';

import { boundsOf, describeRange, presets, type Range } from './range';

/** A moment as `<input type="datetime-local">` writes it. */
function localValue(ms: number): string {
  const date = new Date(ms - new Date(ms).getTimezoneOffset() * 60_000);
  return date.toISOString().slice(0, 16);
}

function CustomRange({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const bounds = boundsOf(range);
  const [from, setFrom] = useState(localValue(bounds.from));
  const [to, setTo] = useState(localValue(bounds.to));
  const wrong = !(Date.parse(from) < Date.parse(to));
  return (
    <form
      className="w-64 space-y-1 p-3"
      onSubmit={(event) => {
        event.preventDefault();
        onChange({ from: new Date(from).toISOString(), to: new Date(to).toISOString() });
      }}
    >
      <Field
        label="From"
        type="datetime-local"
        value={from}
        onChange={(event) => setFrom(event.target.value)}
      />
      <Field
        label="To"
        type="datetime-local"
        value={to}
        onChange={(event) => setTo(event.target.value)}
        error={wrong ? 'The end must be after the start.' : undefined}
      />
      <div className="flex items-center justify-between">
        <span className="text-xs text-faint">{Intl.DateTimeFormat().resolvedOptions().timeZone}</span>
        <Button type="submit" look="primary" size="sm" disabled={wrong}>
          Apply
        </Button>
      </div>
    </form>
  );
}

export function RangePicker({ range, onChange }: { range: Range; onChange: (range: Range) => void }) {
  const [open, setOpen] = useState(false);
  const preset = range.to === 'now' ? presets.find((one) => one.from === range.from) : undefined;
  return (
    <div
      role="group"
      aria-label="Time range"
      className="inline-flex h-8 max-w-full rounded-md border border-line-strong bg-surface"
    >
      {presets.map(({ from, label, title }) => (
        <button
          key={from}
          type="button"
          title={title}
          aria-pressed={preset?.from === from}
          onClick={() => onChange({ from, to: 'now' })}
          className={cx(
            'num border-r border-line px-2.5 text-xs max-sm:px-1 font-medium transition-colors first:rounded-l-md',
            preset?.from === from ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-hover hover:text-ink',
          )}
        >
          {label}
        </button>
      ))}
      <Popover
        label="Custom time range"
        open={open}
        onOpenChange={setOpen}
        align="end"
        trigger={
          <button
            type="button"
            className={cx(
              'num flex min-w-0 items-center gap-1.5 rounded-r-md px-2.5 text-xs font-medium transition-colors max-sm:px-1',
              preset ? 'text-muted hover:bg-hover hover:text-ink' : 'bg-accent-soft text-accent',
            )}
          >
            <CalendarRange size={13} className="shrink-0" aria-hidden />
            <span className="truncate">{preset ? 'Custom' : describeRange(range)}</span>
          </button>
        }
      >
        <CustomRange
          range={range}
          onChange={(next) => {
            setOpen(false);
            onChange(next);
          }}
        />
      </Popover>
    </div>
  );
}
