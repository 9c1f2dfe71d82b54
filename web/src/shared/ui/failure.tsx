import { ApiError } from '@/api/client';

/** Why a form couldn't be sent, where it stands. */
export function Failure({ error }: { error: unknown }) {
  if (!error) return null;
  const hint = error instanceof ApiError ? error.hint : undefined;
  return (
    <div role="alert" className="rounded-md bg-error-soft px-3 py-2 text-sm break-words text-error">
      <p>{error instanceof Error ? error.message : 'Something went wrong.'}</p>
      {hint && <p className="mt-1 text-xs text-muted">{hint}</p>}
    </div>
  );
}
