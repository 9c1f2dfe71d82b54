import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { KeySquare } from 'lucide-react';
import { useState } from 'react';

import { ApiError } from '@/api/client';
import type { StoredCredential } from '@/api/types';
import { exactTime, formatAgo } from '@/shared/time/format';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Dialog } from '@/shared/ui/dialog';
import { Field } from '@/shared/ui/field';
import { TableHead } from '@/shared/ui/table-head';

import { credentialsQuery, deleteCredential, providersQuery, setCredential } from '../queries';

const cell = 'px-4 py-2.5 text-left align-top';

function useChanged() {
  const queryClient = useQueryClient();
  return () =>
    Promise.all([
      queryClient.invalidateQueries({ queryKey: credentialsQuery.queryKey }),
      queryClient.invalidateQueries({ queryKey: providersQuery.queryKey }),
    ]);
}

/** Puts in a value, which is never shown again. */
function SetDialog({ name: known, onClose }: { name?: string; onClose: () => void }) {
  const [name, setName] = useState(known ?? '');
  const [value, setValue] = useState('');
  const changed = useChanged();
  const set = useMutation({
    mutationFn: setCredential,
    onSuccess: async () => {
      onClose();
      await changed();
    },
  });
  const message = set.error?.message;
  const isName = set.error instanceof ApiError && set.error.field === 'name';
  const ready = name.trim() !== '' && value.trim() !== '' && !set.isPending;
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={known ? `Set “${known}”` : 'New credential'}
      description="It is encrypted and never shown again. Calls that begin from now on go out with it; nothing has to be restarted."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (ready) set.mutate({ name: name.trim(), value });
        }}
      >
        {!known && (
          <Field
            label="Name"
            autoFocus
            maxLength={64}
            placeholder="e.g. openai-main"
            value={name}
            spellCheck={false}
            onChange={(event) => setName(event.target.value)}
            error={isName ? message : undefined}
            hint="As the provider names it in signalbox.yaml."
            className="mb-2"
          />
        )}
        <Field
          label="Value"
          type="password"
          autoComplete="off"
          autoFocus={known !== undefined}
          value={value}
          onChange={(event) => setValue(event.target.value)}
          error={isName && !known ? undefined : message}
          hint="The provider’s key, e.g. sk-…"
        />
        <div className="mt-3 flex justify-end gap-2">
          <Button onClick={onClose}>Cancel</Button>
          <Button type="submit" look="primary" disabled={!ready}>
            {set.isPending ? 'Setting…' : 'Set it'}
          </Button>
        </div>
      </form>
    </Dialog>
  );
}

function DeleteDialog({ item, onClose }: { item: StoredCredential; onClose: () => void }) {
  const changed = useChanged();
  const remove = useMutation({
    mutationFn: () => deleteCredential(item.name),
    onSuccess: async () => {
      onClose();
      await changed();
    },
  });
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={`Delete “${item.name}”?`}
      description={
        item.used_by.length > 0
          ? `Calls to ${item.used_by.join(', ')} can’t go out with it from this moment. It can’t be undone.`
          : 'No provider is configured to use it. It can’t be undone.'
      }
    >
      {remove.isError && (
        <p role="alert" className="mb-3 text-sm text-error">
          {remove.error.message}
        </p>
      )}
      <div className="flex justify-end gap-2">
        <Button onClick={onClose}>Keep it</Button>
        <Button look="danger" disabled={remove.isPending} onClick={() => remove.mutate()}>
          {remove.isPending ? 'Deleting…' : 'Delete the credential'}
        </Button>
      </div>
    </Dialog>
  );
}

function Row({ item, onSet, onDelete }: { item: StoredCredential; onSet: () => void; onDelete: () => void }) {
  return (
    <tr className="transition-colors hover:bg-hover">
      <th scope="row" className={cx(cell, 'font-medium')}>
        <span className="font-mono text-xs">{item.name}</span>
        {item.fault && <p className="mt-1 max-w-xl text-2xs font-normal text-error">{item.fault}</p>}
      </th>
      <td className={cx(cell, 'font-mono text-xs')}>…{item.last4}</td>
      <td className={cx(cell, 'num whitespace-nowrap')} title={exactTime(item.set_at)}>
        {formatAgo(item.set_at)}
      </td>
      <td className={cell}>
        {item.used_by.length > 0 ? (
          <span className="flex flex-wrap gap-1">
            {item.used_by.map((provider) => (
              <Badge key={provider}>{provider}</Badge>
            ))}
          </span>
        ) : (
          <span className="text-xs text-faint">nobody</span>
        )}
      </td>
      <td className={cx(cell, 'text-right whitespace-nowrap')}>
        <Button size="sm" look="ghost" onClick={onSet}>
          Rotate
        </Button>
        <Button size="sm" look="ghost" onClick={onDelete}>
          Delete
        </Button>
      </td>
    </tr>
  );
}

/** The credentials that the catalog keeps: names and ends of them, never a value. Only the first key sees them. */
export function Credentials() {
  const answer = useQuery(credentialsQuery);
  const [setting, setSetting] = useState<{ name?: string }>();
  const [deleting, setDeleting] = useState<StoredCredential>();
  if (!answer.data) return null;
  const { credentials, wanted } = answer.data;
  return (
    <section aria-labelledby="stored-credentials">
      <div className="mb-3 flex flex-wrap items-end gap-3">
        <div className="min-w-0 flex-1 max-sm:basis-full">
          <h2 id="stored-credentials" className="font-semibold">
            Stored credentials
          </h2>
          <p className="text-sm text-muted">
            Encrypted, rotated while calls run. A provider uses one with{' '}
            <code className="font-mono text-xs">{'credentials: [{name: main, catalog: …}]'}</code>.
          </p>
        </div>
        <Button onClick={() => setSetting({})}>
          <KeySquare size={14} aria-hidden /> New credential
        </Button>
      </div>
      {wanted.length > 0 && (
        <ul className="mb-3 space-y-1.5">
          {wanted.map((name) => (
            <li
              key={name}
              className="flex items-center gap-3 rounded-md bg-warn-soft px-3 py-2 text-sm text-warn"
            >
              <span className="min-w-0 flex-1">
                A provider wants <span className="font-mono text-xs">{name}</span>, and nobody has set it.
              </span>
              <Button size="sm" onClick={() => setSetting({ name })}>
                Set it
              </Button>
            </li>
          ))}
        </ul>
      )}
      {credentials.length > 0 && (
        <div className="overflow-x-auto rounded-lg border border-line bg-surface">
          <table className="w-full text-sm">
            <TableHead titles={['Name', 'Value', 'Set', 'Used by']} cell={cx(cell, 'py-2')} />
            <tbody className="divide-y divide-line">
              {credentials.map((item) => (
                <Row
                  key={item.name}
                  item={item}
                  onSet={() => setSetting({ name: item.name })}
                  onDelete={() => setDeleting(item)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {setting && <SetDialog name={setting.name} onClose={() => setSetting(undefined)} />}
      {deleting && <DeleteDialog item={deleting} onClose={() => setDeleting(undefined)} />}
    </section>
  );
}
