import { ApiError } from '@/api/client';
import { rowsFor } from '@/shared/format/definition';

import { Coded } from './coded';

/** Where a definition is typed, with what is wrong with it below: as JSON, or as the server says. */
export function DefinitionField({
  text,
  onChange,
  problem,
  refusal,
}: {
  text: string;
  onChange: (text: string) => void;
  problem?: string;
  refusal: Error | null;
}) {
  const wrong = problem ?? refusal?.message;
  return (
    <>
      <label htmlFor="definition" className="mb-1 block text-sm font-medium">
        Definition
      </label>
      <textarea
        id="definition"
        spellCheck={false}
        rows={rowsFor(text)}
        value={text}
        onChange={(event) => onChange(event.target.value)}
        aria-invalid={wrong !== undefined}
        aria-describedby="definition-note"
        className="w-full rounded-md border border-line-strong bg-sunken p-3 font-mono text-xs leading-relaxed focus:border-accent focus:outline-none focus-visible:ring-2 focus-visible:ring-accent/30"
      />
      <p
        id="definition-note"
        role={wrong === undefined ? undefined : 'alert'}
        className="mt-1 min-h-5 text-xs break-words text-error"
      >
        {wrong !== undefined && <Coded text={wrong} />}
        {problem === undefined && refusal instanceof ApiError && refusal.field && (
          <span className="ml-1 font-mono">({refusal.field})</span>
        )}
      </p>
    </>
  );
}
