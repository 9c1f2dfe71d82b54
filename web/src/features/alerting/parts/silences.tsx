import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';

import type { Silence } from '@/api/types';
import { exactTime, formatIn, formatTime } from '@/shared/time/format';
import { useNow } from '@/shared/time/use-now';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';

import { endSilence, makeSilence } from '../queries';
import { readMatchers, written } from '../state';

const HOUR_MS = 3_600_000;
const silences = { queryKey: ['alerting', 'silences'] };

function Row({ silence }: { silence: Silence }) {
  const queryClient = useQueryClient();
  const end = useMutation({
    mutationFn: () => endSilence(silence.id),
    onSettled: () => queryClient.invalidateQueries(silences),
  });
  const later = Date.parse(silence.from) > useNow(30_000);
  return (
    <li className="flex items-start gap-3 px-4 py-2.5 text-sm">
      <div className="min-w-0 flex-1">
        <p className="font-mono text-xs break-all">{written(silence.matchers) || 'every incident'}</p>
        <p className="num mt-0.5 text-xs break-words text-muted">
          {silence.reason} · by {silence.by} ·{' '}
          {later && <span title={exactTime(silence.from)}>from {formatTime(silence.from)}, </span>}
          <span title={exactTime(silence.until)}>ends {formatIn(silence.until)}</span>
        </p>
        {end.isError && (
          <p role="alert" className="mt-0.5 text-xs text-error">
            {end.error.message}
          </p>
        )}
      </div>
      <Button size="sm" disabled={end.isPending} onClick={() => end.mutate()}>
        End it
      </Button>
    </li>
  );
}

export function SilenceList({ silences: all }: { silences: Silence[] }) {
  if (all.length === 0)
    return <p className="px-4 pt-1 pb-4 text-sm text-muted">None: people are told of every incident.</p>;
  return (
    <ul className="divide-y divide-line border-t border-line">
      {all.map((silence) => (
        <Row key={silence.id} silence={silence} />
      ))}
    </ul>
  );
}

/** Asks of what nobody is to be told, for how long and why. */
export function NewSilence({ onClose }: { onClose: () => void }) {
  const [what, setWhat] = useState('');
  const [hours, setHours] = useState('1');
  const [reason, setReason] = useState('');
  const queryClient = useQueryClient();
  const make = useMutation({
    mutationFn: makeSilence,
    onSuccess: async () => {
      onClose();
      await queryClient.invalidateQueries(silences);
    },
  });
  const matchers = readMatchers(what);
  const lasts = Number(hours);
  const sound = typeof matchers !== 'string' && lasts > 0 && reason.trim() !== '';
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="New silence"
      description="Incidents that it matches are opened and shown, and nobody is told of them until it ends."
    >
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          if (!sound) return;
          const until = new Date(Date.now() + lasts * HOUR_MS).toISOString();
          make.mutate({ matchers, until, reason: reason.trim() });
        }}
      >
        <Field
          label="Which incidents"
          value={what}
          placeholder="monitor=error-*, severity=warning"
          onChange={(event) => setWhat(event.target.value)}
          error={typeof matchers === 'string' ? matchers : undefined}
          hint="Labels and their values; * stands for any characters. Left empty, every incident."
          autoFocus
        />
        <Field
          label="For how many hours"
          value={hours}
          type="number"
          min={0}
          step="any"
          onChange={(event) => setHours(event.target.value)}
          error={hours !== '' && !(lasts > 0) ? 'Expected more than 0.' : undefined}
        />
        <Field
          label="Why"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          error={make.error?.message}
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!sound || make.isPending}>
            Silence
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
