import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Rewind, X } from 'lucide-react';
import { useState } from 'react';

import type { OnlineRule } from '@/api/types';
import { formatCount } from '@/shared/format/numbers';
import { describeRange, type Range } from '@/shared/time/range';
import { RangePicker } from '@/shared/time/range-picker';
import { Button, IconButton } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';

import { beginBackfill, cancelBackfill, rulesQuery } from '../queries';

/** Scores what was there before the rule was. */
export function Backfill({ one }: { one: OnlineRule }) {
  const [open, setOpen] = useState(false);
  const [range, setRange] = useState<Range>({ from: 'now-24h', to: 'now' });
  const client = useQueryClient();
  const begin = useMutation({
    mutationFn: beginBackfill,
    onSuccess: async () => {
      setOpen(false);
      await client.invalidateQueries({ queryKey: rulesQuery.queryKey });
    },
  });
  const { name } = one.rule;
  return (
    <>
      <IconButton
        label={`Score history by ${name}`}
        disabled={!(one.rule.on ?? true) || one.state.backfill?.state === 'running'}
        onClick={() => setOpen(true)}
      >
        <Rewind size={14} aria-hidden />
      </IconButton>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={`Score history by “${name}”`}
        description="Spans that lack its scores get them, within the day’s budget. It goes on after a restart, and can be stopped."
      >
        <div className="flex items-center gap-3">
          <RangePicker range={range} onChange={setRange} />
          <span className="text-sm text-muted">{describeRange(range)}</span>
        </div>
        {begin.isError && (
          <p role="alert" className="mt-3 text-sm text-error">
            {begin.error.message}
          </p>
        )}
        <div className="mt-4 flex justify-end gap-2">
          <Button onClick={() => setOpen(false)}>Cancel</Button>
          <Button look="primary" disabled={begin.isPending} onClick={() => begin.mutate({ name, range })}>
            {begin.isPending ? 'Starting…' : 'Score it'}
          </Button>
        </div>
      </Dialog>
    </>
  );
}

/** How far a run over history has come. */
export function BackfillProgress({ one }: { one: OnlineRule }) {
  const client = useQueryClient();
  const cancel = useMutation({
    mutationFn: () => cancelBackfill(one.rule.name),
    onSettled: () => client.invalidateQueries({ queryKey: rulesQuery.queryKey }),
  });
  const fill = one.state.backfill;
  if (fill?.state !== 'running') return null;
  const [from, to, at] = [fill.from, fill.to, fill.at].map((time) => Date.parse(time)) as [
    number,
    number,
    number,
  ];
  const done = Math.max(0, Math.min(1, (at - from) / Math.max(1, to - from)));
  return (
    <span className="flex items-center gap-2 text-xs text-muted">
      <span
        role="progressbar"
        aria-label={`History scored by ${one.rule.name}`}
        aria-valuenow={Math.round(done * 100)}
        aria-valuemin={0}
        aria-valuemax={100}
        className="block h-1.5 w-28 overflow-hidden rounded-full bg-sunken"
      >
        <span
          className="block h-full rounded-full bg-accent transition-[width]"
          style={{ width: `${done * 100}%` }}
        />
      </span>
      <span className="num">
        {Math.round(done * 100)} % · {formatCount(fill.scored)} scores
      </span>
      <IconButton label="Stop scoring history" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
        <X size={13} aria-hidden />
      </IconButton>
    </span>
  );
}
