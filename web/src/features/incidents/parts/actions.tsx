import { useMutation, useQueryClient } from '@tanstack/react-query';
import { BellOff, Check, Hand, MessageSquarePlus } from 'lucide-react';
import { useState } from 'react';

import type { Incident } from '@/api/types';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';

import { acknowledge, note, resolve, silence } from '../queries';

interface Deed {
  id: string;
  button: string;
  icon: typeof Check;
  title: string;
  about: string;
  /** It can't be done without words. */
  needsText?: boolean;
  act: (incident: Incident, text: string) => Promise<unknown>;
}

const HOUR_MS = 3_600_000;

const deeds: Deed[] = [
  {
    id: 'acknowledge',
    button: 'Acknowledge',
    icon: Hand,
    title: 'Take this incident',
    about: 'Nobody else is told until it is over.',
    act: (incident, text) => acknowledge(incident.id, text),
  },
  {
    id: 'note',
    button: 'Note',
    icon: MessageSquarePlus,
    title: 'Write something down',
    about: 'It goes into the timeline and the post-mortem.',
    needsText: true,
    act: (incident, text) => note(incident.id, text),
  },
  {
    id: 'silence',
    button: 'Silence 1 h',
    icon: BellOff,
    title: 'Tell nobody for an hour',
    about: 'Incidents of this monitor are opened and shown, and nobody is told of them.',
    needsText: true,
    act: (incident, text) => silence(incident.monitor, new Date(Date.now() + HOUR_MS).toISOString(), text),
  },
  {
    id: 'resolve',
    button: 'Resolve',
    icon: Check,
    title: 'Say that it is over',
    about: 'All who were told are told. It comes back when its series fires anew, or gets worse.',
    act: (incident, text) => resolve(incident.id, text),
  },
];

/** What a person can do about an incident that is open. */
export function Actions({ incident }: { incident: Incident }) {
  const [chosen, setChosen] = useState<Deed>();
  const [text, setText] = useState('');
  const queryClient = useQueryClient();
  const act = useMutation({
    mutationFn: async () => chosen?.act(incident, text.trim()),
    onSuccess: async () => {
      setChosen(undefined);
      await queryClient.invalidateQueries({ queryKey: ['incidents'] });
    },
  });
  const close = (): void => {
    setChosen(undefined);
    act.reset();
  };
  const shown = deeds.filter((deed) => deed.id !== 'acknowledge' || incident.status === 'open');
  return (
    <div className="flex flex-wrap gap-2">
      {shown.map((deed, i) => (
        <Button
          key={deed.id}
          look={i === 0 && deed.id === 'acknowledge' ? 'primary' : 'plain'}
          onClick={() => {
            setText('');
            setChosen(deed);
          }}
        >
          <deed.icon size={14} aria-hidden /> {deed.button}
        </Button>
      ))}
      <Dialog
        open={chosen !== undefined}
        onOpenChange={(open) => !open && close()}
        title={chosen?.title ?? ''}
        description={chosen?.about}
      >
        <form
          onSubmit={(event) => {
            event.preventDefault();
            act.mutate();
          }}
        >
          <Field
            label={chosen?.id === 'silence' ? 'Why' : 'Note'}
            autoFocus
            maxLength={5_000}
            value={text}
            onChange={(event) => setText(event.target.value)}
            error={act.error?.message}
            hint={chosen?.needsText ? undefined : 'May be left empty.'}
          />
          <div className="mt-3 flex justify-end gap-2">
            <Button onClick={close}>Cancel</Button>
            <Button
              type="submit"
              look="primary"
              disabled={act.isPending || (chosen?.needsText && text.trim() === '')}
            >
              {chosen?.button}
            </Button>
          </div>
        </form>
      </Dialog>
    </div>
  );
}
