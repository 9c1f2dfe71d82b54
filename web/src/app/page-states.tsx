import { type ErrorComponentProps, useRouter } from '@tanstack/react-router';

import { Skeleton } from '@/shared/ui/skeleton';
import { ErrorState } from '@/shared/ui/states';

export function PagePending() {
  return (
    <div role="status" aria-label="Loading" className="space-y-4 p-6">
      <Skeleton className="h-6 w-48" />
      <Skeleton className="h-40 w-full" />
      <Skeleton className="h-40 w-full" />
    </div>
  );
}

/** A page that could not be opened, or broke. */
export function PageError({ error, reset }: ErrorComponentProps) {
  const router = useRouter();
  const retry = (): void => {
    reset();
    void router.invalidate();
  };
  return <ErrorState error={error} retry={retry} className="h-full min-h-[60vh]" />;
}
