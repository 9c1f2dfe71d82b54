import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { CircleCheck, Clock, LoaderCircle } from 'lucide-react';
import { useId, useState } from 'react';

import type { Erased } from '@/api/types';
import { numberOf, rowsOf } from '@/shared/data/query';
import { formatTime } from '@/shared/time/format';
import { Button } from '@/shared/ui/button';
import { Dialog } from '@/shared/ui/dialog';
import { Field, inputClass } from '@/shared/ui/field';
import { Card } from '@/shared/ui/page';

import { count, type Kind, kinds, nameOf, problemOf, sayErased, type Target, targetOf } from '../erasure';
import { erase, reachQuery } from '../queries';

/** How much would go. */
function Reach({ target }: { target: Target }) {
  const answer = useQuery(reachQuery(target));
  const row = rowsOf(answer.data)[0];
  const { noun } = target.kind;
  if (answer.isError) return <>every span of this {noun}; how many could not be counted</>;
  if (!row) return <>counting its spans…</>;
  const spans = numberOf(row.spans) ?? 0;
  if (spans === 0) return <>no span: none of this {noun} is stored</>;
  const [first, last] = [String(row.first), String(row.last)];
  return (
    <>
      <strong className="num font-semibold text-ink">{count(spans, 'span')}</strong>
      {target.kind.by !== 'trace_id' && <> in {count(numberOf(row.traces) ?? 0, 'trace')}</>}
      {first === last ? (
        <> of {formatTime(first)}</>
      ) : (
        <>
          , {formatTime(first)} to {formatTime(last)}
        </>
      )}
      , with what was said in {spans === 1 ? 'it' : 'them'}
    </>
  );
}

function Confirm({ target, onClose, onErase }: { target: Target; onClose: () => void; onErase: () => void }) {
  const { noun } = target.kind;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Erase this ${noun} for good?`}
      description={<span className="font-mono break-all">{target.value}</span>}
    >
      <p className="text-sm">What goes:</p>
      <ul className="mt-1 list-disc space-y-1 pl-5 text-sm text-muted marker:text-faint">
        <li>
          <Reach target={target} />
        </li>
        <li>findings, scores and logs of these spans, or that name this {noun}</li>
      </ul>
      <p className="mt-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn">
        It can’t be undone. It goes from queries and from the disk; backups made before still hold it.
      </p>
      <div className="mt-4 flex justify-end gap-2">
        <Button autoFocus onClick={onClose}>
          Keep it
        </Button>
        <Button look="danger" onClick={onErase}>
          Erase the {noun}
        </Button>
      </div>
    </Dialog>
  );
}

function Outcome({ target, erased }: { target: Target; erased: Erased }) {
  const nothing = erased.spans + erased.other_rows === 0;
  return (
    <div className="flex gap-2.5 rounded-md border border-line bg-sunken px-3 py-2.5 text-sm">
      {erased.complete ? (
        <CircleCheck size={16} className="mt-0.5 shrink-0 text-ok" aria-hidden />
      ) : (
        <Clock size={16} className="mt-0.5 shrink-0 text-warn" aria-hidden />
      )}
      <div className="min-w-0">
        <p className="font-medium break-words">
          {nothing ? `Nothing to erase of ${nameOf(target)}` : `Erased ${nameOf(target)}`}
        </p>
        <p className="num text-muted">
          {sayErased(erased)}{' '}
          {!erased.complete
            ? 'Something still reads their bytes; they go from the disk as soon as it has ended.'
            : !nothing && 'No byte of it is left in the data folder.'}
        </p>
      </div>
    </div>
  );
}

/** Erases everything of a user, a session or a trace, once it was asked twice. */
export function Erase() {
  const [kind, setKind] = useState<Kind>(kinds[0]);
  const [text, setText] = useState('');
  const [tried, setTried] = useState(false);
  const [asked, setAsked] = useState<Target>();
  const queryClient = useQueryClient();
  const selectId = useId();
  const target = targetOf(kind, text);
  const problem = problemOf(target);
  const run = useMutation({
    mutationFn: erase,
    onSuccess: () => {
      setText('');
      setTried(false);
      // Any page may have kept some of it.
      queryClient.removeQueries({ type: 'inactive' });
      void queryClient.invalidateQueries();
    },
  });
  return (
    <Card title="Erase a user, a session or a trace">
      <form
        className="flex flex-col gap-3 px-4 pb-4"
        onSubmit={(event) => {
          event.preventDefault();
          setTried(true);
          if (problem === undefined && !run.isPending) setAsked(target);
        }}
      >
        <p className="text-sm text-muted">
          Everything of it that this project has stored until now goes, from queries and from the disk. What
          arrives later is kept.
        </p>
        <div className="grid grid-cols-[8rem_1fr] gap-2">
          <div>
            <label htmlFor={selectId} className="mb-1 block text-sm font-medium">
              Kind
            </label>
            <select
              id={selectId}
              className={`${inputClass} h-9`}
              value={kind.by}
              disabled={run.isPending}
              onChange={(event) => {
                setKind(kinds.find((one) => one.by === event.target.value) ?? kinds[0]);
                setTried(false);
              }}
            >
              {kinds.map((one) => (
                <option key={one.by} value={one.by}>
                  {one.label}
                </option>
              ))}
            </select>
          </div>
          <Field
            label={`Id of the ${kind.noun}`}
            spellCheck={false}
            autoComplete="off"
            placeholder={`e.g. ${kind.example}`}
            disabled={run.isPending}
            value={text}
            onChange={(event) => setText(event.target.value)}
            error={tried ? problem : undefined}
            hint={kind.hint}
          />
        </div>
        <div className="flex justify-end">
          <Button type="submit" disabled={run.isPending}>
            Erase…
          </Button>
        </div>
        <div aria-live="polite" className="empty:hidden">
          {run.isPending && (
            <p className="flex gap-2.5 rounded-md border border-line bg-sunken px-3 py-2.5 text-sm">
              <LoaderCircle size={16} className="mt-0.5 shrink-0 animate-spin text-muted" aria-hidden />
              <span className="min-w-0 break-words">
                Erasing {nameOf(run.variables)}. This takes seconds to minutes, and goes on if you leave.
              </span>
            </p>
          )}
          {run.isError && (
            <p role="alert" className="rounded-md bg-error-soft px-3 py-2.5 text-sm text-error">
              {run.error.message}
            </p>
          )}
          {run.isSuccess && <Outcome target={run.variables} erased={run.data} />}
        </div>
      </form>
      {asked && (
        <Confirm
          target={asked}
          onClose={() => setAsked(undefined)}
          onErase={() => {
            setAsked(undefined);
            run.mutate(asked);
          }}
        />
      )}
    </Card>
  );
}
