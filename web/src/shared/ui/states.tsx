import { CircleAlert, RotateCw } from 'lucide-react';
import type { ReactNode } from 'react';

import { ApiError } from '@/api/client';

import { Button } from './button';
import { cx } from './cx';

/** What went wrong, what would help, and another try. */
export function ErrorState({
  error,
  retry,
  className,
}: {
  error: unknown;
  retry?: () => void;
  className?: string;
}) {
  const message = error instanceof Error ? error.message : 'Something went wrong.';
  const hint = error instanceof ApiError ? error.hint : undefined;
  const field = error instanceof ApiError ? error.field : undefined;
  return (
    <div
      role="alert"
      className={cx('flex flex-col items-center justify-center gap-3 p-8 text-center', className)}
    >
      <CircleAlert size={20} className="text-error" aria-hidden />
      <div className="max-w-lg space-y-1">
        <p className="font-medium text-ink">{message}</p>
        {field && <p className="font-mono text-xs text-muted">{field}</p>}
        {hint && <p className="text-sm text-muted">{hint}</p>}
      </div>
      {retry && (
        <Button size="sm" onClick={retry}>
          <RotateCw size={13} aria-hidden /> Try again
        </Button>
      )}
    </div>
  );
}

/** Nothing here yet: says what would be here, and how to get it. */
export function EmptyState({
  icon,
  title,
  children,
  className,
}: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  className?: string;
}) {
  return (
    <div
      className={cx('flex flex-col items-center justify-center gap-2 p-8 text-center max-sm:px-3', className)}
    >
      {icon && <div className="mb-1 text-faint">{icon}</div>}
      <p className="font-medium text-ink">{title}</p>
      {children && <div className="w-full max-w-xl text-sm text-muted">{children}</div>}
    </div>
  );
}
