import type { ReactNode } from 'react';

/** The bar at the top of a page. */
export function PageHeader({ title, children }: { title: ReactNode; children?: ReactNode }) {
  return (
    <header className="flex min-h-14 shrink-0 flex-wrap items-center gap-x-3 gap-y-2 border-b border-line bg-surface px-5 py-2">
      <h1 className="text-lg font-semibold tracking-tight">{title}</h1>
      <div className="flex min-w-0 flex-1 flex-wrap items-center justify-end gap-2 max-sm:flex-auto">
        {children}
      </div>
    </header>
  );
}

export function Card({
  title,
  aside,
  className,
  children,
}: {
  title?: ReactNode;
  aside?: ReactNode;
  className?: string;
  children: ReactNode;
}) {
  return (
    <section className={`flex min-w-0 flex-col rounded-lg border border-line bg-surface ${className ?? ''}`}>
      {title && (
        <div className="flex min-h-10 shrink-0 flex-wrap items-center gap-x-2 py-0.5 pr-2 pl-4">
          <h2 className="text-sm font-semibold">{title}</h2>
          <div className="ml-auto flex min-w-0 items-center gap-1">{aside}</div>
        </div>
      )}
      {children}
    </section>
  );
}
