import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { Rocket, Snowflake } from 'lucide-react';
import { useState } from 'react';

import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';

import { freezeQuery, setFreeze } from '../queries';
import type { WantedFreeze } from '../types';

const HOUR_MS = 3_600_000;

/** Whether releases wait, and why; lets a person freeze them or lift that. */
export function FreezeBanner() {
  const answer = useQuery(freezeQuery);
  const [asking, setAsking] = useState(false);
  const queryClient = useQueryClient();
  const refresh = () => queryClient.invalidateQueries({ queryKey: ['objectives', 'freeze'] });
  const lift = useMutation({ mutationFn: () => setFreeze({ frozen: false }), onSuccess: refresh });
  const freeze = answer.data;
  if (!freeze) return null;
  const { frozen, reasons, unknown, manual } = freeze;
  return (
    <section
      aria-label="Releases"
      className={cx(
        'mb-4 flex flex-wrap items-start gap-3 rounded-lg border px-4 py-3',
        frozen ? 'border-transparent bg-error-soft' : 'border-line bg-surface',
      )}
    >
      {frozen ? (
        <Snowflake size={18} className="mt-0.5 shrink-0 text-error" aria-hidden />
      ) : (
        <Rocket size={18} className="mt-0.5 shrink-0 text-ok" aria-hidden />
      )}
      <div className="min-w-0 flex-1 text-sm">
        <p className="font-medium">{frozen ? 'Releases wait' : 'Releases may go on'}</p>
        {frozen ? (
          <ul className="mt-0.5 space-y-0.5 text-muted">
            {reasons.map((reason) => (
              <li key={reason.text}>{reason.text}.</li>
            ))}
          </ul>
        ) : (
          <p className="text-muted">
            CI and canaries ask with <code className="text-xs">signalbox objectives check</code> or{' '}
            <code className="text-xs">GET /api/v1/release_freeze</code>.
          </p>
        )}
        {unknown.map((one) => (
          <p key={one.objective} className="text-warn">
            The budget of {one.objective} can’t be counted: {one.text}
          </p>
        ))}
        {lift.isError && (
          <p role="alert" className="text-error">
            {lift.error.message}
          </p>
        )}
      </div>
      {manual ? (
        <Button disabled={lift.isPending} onClick={() => lift.mutate()}>
          Lift the freeze
        </Button>
      ) : (
        <Button onClick={() => setAsking(true)}>
          <Snowflake size={14} aria-hidden /> Freeze releases
        </Button>
      )}
      {asking && <Ask onClose={() => setAsking(false)} onDone={refresh} />}
    </section>
  );
}

function Ask({ onClose, onDone }: { onClose: () => void; onDone: () => Promise<void> }) {
  const [reason, setReason] = useState('');
  const [hours, setHours] = useState('');
  const set = useMutation({
    mutationFn: (wanted: WantedFreeze) => setFreeze(wanted),
    onSuccess: async () => {
      onClose();
      await onDone();
    },
  });
  const lasts = Number(hours);
  const sound = reason.trim() !== '' && (hours === '' || lasts > 0);
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title="Freeze releases"
      description="Whoever asks whether releases may go on is told to wait, whatever the budgets are."
    >
      <form
        className="space-y-3"
        onSubmit={(event) => {
          event.preventDefault();
          const until = hours === '' ? undefined : new Date(Date.now() + lasts * HOUR_MS).toISOString();
          if (sound) set.mutate({ frozen: true, reason: reason.trim(), until });
        }}
      >
        <Field
          label="Why"
          value={reason}
          onChange={(event) => setReason(event.target.value)}
          error={set.error?.message}
          autoFocus
        />
        <Field
          label="For how many hours"
          value={hours}
          type="number"
          min={0}
          step="any"
          onChange={(event) => setHours(event.target.value)}
          hint="Until somebody lifts it if this is empty."
        />
        <div className="flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="danger" disabled={!sound || set.isPending}>
            Freeze
          </Button>
        </div>
      </form>
    </Dialog>
  );
}
