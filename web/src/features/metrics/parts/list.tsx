import { useEffect, useRef } from 'react';

import type { MetricAbout } from '@/api/types';
import { cx } from '@/shared/ui/cx';
import { EmptyState } from '@/shared/ui/states';

import { familiesOf } from '../families';

function Item({ metric, picked, onPick }: { metric: MetricAbout; picked: boolean; onPick: () => void }) {
  const row = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (picked) row.current?.scrollIntoView({ block: 'nearest' });
  }, [picked]);
  return (
    <button
      ref={row}
      type="button"
      aria-current={picked ? 'true' : undefined}
      onClick={onPick}
      className={cx(
        'block w-full border-l-2 px-4 py-1.5 text-left transition-colors',
        picked ? 'border-accent bg-hover' : 'border-transparent hover:bg-hover',
      )}
    >
      <span className="block truncate font-mono text-xs font-medium">{metric.name}</span>
      <span className="block truncate text-2xs text-muted">{metric.summary}</span>
    </button>
  );
}

/** The metrics by family. */
export function MetricList({
  metrics,
  picked,
  onPick,
}: {
  metrics: MetricAbout[];
  picked?: string;
  onPick: (name: string) => void;
}) {
  if (metrics.length === 0)
    return (
      <EmptyState title="No metric has these words" className="py-12">
        <p>Names, other tools’ names, formulas, sources and inputs are searched.</p>
      </EmptyState>
    );
  return (
    <>
      {familiesOf(metrics).map((family) => (
        <section key={family.id} aria-label={family.title} className="pb-3">
          <h2
            className="eyebrow sticky top-0 z-10 flex justify-between bg-surface px-4 py-1.5"
            title={family.about}
          >
            {family.title}
            <span className="num">{family.metrics.length}</span>
          </h2>
          {family.metrics.map((metric) => (
            <Item
              key={metric.name}
              metric={metric}
              picked={metric.name === picked}
              onPick={() => onPick(metric.name)}
            />
          ))}
        </section>
      ))}
    </>
  );
}
