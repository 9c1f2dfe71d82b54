import { cx } from './cx';

export function Skeleton({ className }: { className?: string }) {
  return (
    <div
      aria-hidden
      className={cx(
        'animate-shimmer rounded-sm bg-[linear-gradient(100deg,var(--hover)_40%,var(--line)_50%,var(--hover)_60%)] bg-[length:200%_100%]',
        className,
      )}
    />
  );
}

/** Rows of a table that is on its way. */
export function SkeletonRows({ rows, widths }: { rows: number; widths: string[] }) {
  return (
    <div role="status" aria-label="Loading" className="divide-y divide-line">
      {Array.from({ length: rows }, (_, row) => (
        <div key={row} className="flex h-10 items-center gap-6 px-4">
          {widths.map((width, column) => (
            <Skeleton key={column} className={cx('h-3', width)} />
          ))}
        </div>
      ))}
    </div>
  );
}
