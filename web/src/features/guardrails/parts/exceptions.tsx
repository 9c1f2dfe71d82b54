import { Plus, Trash2 } from 'lucide-react';
import { useState } from 'react';

import type { Guardrails, PolicyException } from '@/api/types';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

const small = cx(inputClass, 'h-7 px-2 text-xs');

/** The SHA-256 of a text, so that an exception for it needn't hold it. */
async function digestOf(text: string): Promise<string> {
  const bytes = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}

function ByText({ onDigest }: { onDigest: (digest: string) => void }) {
  const [text, setText] = useState('');
  const take = (): void => {
    if (text !== '') void digestOf(text).then(onDigest);
  };
  return (
    <input
      value={text}
      aria-label="The found text, of which only a digest is kept"
      placeholder="the found text (only its digest is kept)"
      spellCheck={false}
      className={small}
      onChange={(event) => setText(event.target.value)}
      onBlur={take}
      onKeyDown={(event) => event.key === 'Enter' && take()}
    />
  );
}

/** What is no finding after all: for a text, a user or a key, until a day, for a reason. */
export function Exceptions({
  exceptions,
  scanners,
  onChange,
}: {
  exceptions: PolicyException[];
  scanners: Guardrails['scanners'];
  onChange: (exceptions: PolicyException[]) => void;
}) {
  const set = (at: number, change: Partial<PolicyException>): void =>
    onChange(
      exceptions.map((one, i) => {
        if (i !== at) return one;
        const changed = Object.entries({ ...one, ...change }).filter(([, value]) => value !== '');
        return { reason: '', scanner: one.scanner, ...Object.fromEntries(changed) };
      }),
    );
  return (
    <section className="mt-2 flex flex-col gap-2" aria-label="Exceptions">
      <h3 className="text-sm font-semibold">Exceptions</h3>
      {exceptions.map((one, i) => (
        <div key={i} className="grid grid-cols-2 gap-2 rounded-md border border-line p-2 sm:grid-cols-4">
          <select
            aria-label="Scanner"
            value={one.scanner}
            className={cx(small, 'font-mono')}
            onChange={(event) => set(i, { scanner: event.target.value })}
          >
            {scanners.map(({ name }) => (
              <option key={name}>{name}</option>
            ))}
          </select>
          <input
            aria-label="User"
            placeholder="for this user"
            value={one.user ?? ''}
            className={small}
            onChange={(event) => set(i, { user: event.target.value })}
          />
          <input
            aria-label="Key"
            placeholder="for the key named"
            value={one.key ?? ''}
            className={small}
            onChange={(event) => set(i, { key: event.target.value })}
          />
          <input
            aria-label="Last day"
            type="date"
            title="The last day on which it counts (UTC)"
            value={one.until ?? ''}
            className={small}
            onChange={(event) => set(i, { until: event.target.value })}
          />
          <div className="col-span-2">
            {one.sha256 === undefined ? (
              <ByText onDigest={(sha256) => set(i, { sha256 })} />
            ) : (
              <button
                type="button"
                title="Remove the digest"
                className="num h-7 w-full truncate rounded-md bg-sunken px-2 text-left text-2xs text-muted hover:line-through"
                onClick={() => set(i, { sha256: '' })}
              >
                text {one.sha256.slice(0, 16)}…
              </button>
            )}
          </div>
          <input
            aria-label="Reason"
            placeholder="why it is no finding"
            value={one.reason}
            className={small}
            onChange={(event) => set(i, { reason: event.target.value })}
          />
          <IconButton
            label="Remove this exception"
            className="justify-self-end"
            onClick={() => onChange(exceptions.filter((_, at) => at !== i))}
          >
            <Trash2 size={14} aria-hidden />
          </IconButton>
        </div>
      ))}
      <Button
        size="sm"
        className="self-start"
        onClick={() => onChange([...exceptions, { scanner: scanners[0]?.name ?? 'secrets', reason: '' }])}
      >
        <Plus size={13} aria-hidden /> Add an exception
      </Button>
    </section>
  );
}
