import { Link } from '@tanstack/react-router';
import { useState } from 'react';

import type { Monitor } from '@/api/types';
import { nameOf } from '@/shared/chart/history';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Coded } from '@/shared/ui/coded';
import { Definition } from '@/shared/ui/definition';
import { ChangeOrDelete } from '@/shared/ui/change-or-delete';
import { Dialog } from '@/shared/ui/dialog';

import { type Definition as Defined, deleteMonitor } from '../queries';
import { kindOf, objectiveOf, phaseTone } from '../state';
import { Editor } from './editor';
import { Tested } from './tested';

/** Its series, and how each is. */
function SeriesList({ monitor }: { monitor: Monitor }) {
  return (
    <section>
      <h3 className="mb-1.5 flex items-baseline text-sm font-medium">
        Series
        {monitor.phase === 'firing' && (
          <Link
            to="/incidents"
            search={{}}
            className="ml-auto text-xs font-normal text-accent hover:underline"
          >
            Open incidents
          </Link>
        )}
      </h3>
      {monitor.series.length === 0 && <p className="text-sm text-muted">None has had data yet.</p>}
      <ul className="max-h-96 divide-y divide-line overflow-y-auto rounded-md border border-line text-sm empty:hidden">
        {monitor.series.map((one) => (
          <li key={JSON.stringify(one.labels)} className="flex items-center gap-2 px-3 py-2">
            <Badge tone={phaseTone[one.phase]}>{one.phase}</Badge>
            <span className="min-w-0 flex-1 truncate" title={one.seen?.text}>
              <span className="mr-2 font-mono text-xs">{nameOf(one)}</span>
              <span className="text-muted">
                <Coded text={one.seen?.text ?? ''} />
              </span>
            </span>
            <span className="num shrink-0 text-xs text-faint" title={exactTime(one.since)}>
              {formatAgo(one.since)}
            </span>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** Where it comes from, and what can be changed there or here. */
function Origin({ monitor, onEdit, onGone }: { monitor: Monitor; onEdit: () => void; onGone: () => void }) {
  const ofObjective = objectiveOf(monitor);
  if (ofObjective !== undefined)
    return (
      <p className="text-xs text-muted">
        It comes with the objective{' '}
        <Link to="/objectives" search={{ name: ofObjective }} className="text-accent hover:underline">
          {ofObjective}
        </Link>
        , and is changed there.
      </p>
    );
  if (monitor.source === 'config')
    return (
      <p className="text-xs text-muted">
        {monitor.name.startsWith('starter.')
          ? 'It is there from the start. One of your own that has its name takes its place.'
          : 'It stands in the configuration file, and is changed there.'}
      </p>
    );
  return (
    <ChangeOrDelete
      title={`Delete the monitor “${monitor.name}”?`}
      about="It is not watched any more, and its open incident is over. Incidents of before stay."
      remove={() => deleteMonitor(monitor.name)}
      of="monitors"
      onGone={onGone}
      onEdit={onEdit}
    />
  );
}

/** One monitor: its series, history with the band, and what it is. */
export function Detail({ monitor, onClose }: { monitor: Monitor; onClose: () => void }) {
  const [editing, setEditing] = useState(false);
  const definition = monitor.definition as Defined;
  if (editing) return <Editor open onClose={() => setEditing(false)} initial={definition} />;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={monitor.name}
      description={typeof definition.description === 'string' ? definition.description : undefined}
      size="huge"
    >
      <div className="grid gap-5 lg:grid-cols-2">
        <div className="min-w-0 space-y-4">
          {monitor.problem && (
            <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-sm text-error">
              It can’t be evaluated: {monitor.problem}
            </p>
          )}
          <SeriesList monitor={monitor} />
        </div>
        <section className="min-w-0">
          <h3 className="mb-2 text-sm font-medium">History</h3>
          {kindOf(definition) === 'composite' ? (
            <p className="text-sm text-muted">It looks at other monitors, whose past isn’t kept.</p>
          ) : (
            <Tested definition={{ ...definition, notify: [], escalation: undefined }} last="7d" />
          )}
        </section>
      </div>
      <footer className="mt-5 space-y-3 border-t border-line pt-4">
        <Definition value={definition} />
        <Origin monitor={monitor} onEdit={() => setEditing(true)} onGone={onClose} />
      </footer>
    </Dialog>
  );
}
