import type { ReactNode } from 'react';

import type { MetricAbout } from '@/api/types';
import { Badge } from '@/shared/ui/badge';
import { CopyIcon } from '@/shared/ui/copy';
import { Card } from '@/shared/ui/page';

import { isBetterHigh, rangeOf } from '../families';

function Fact({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="min-w-0">
      <dt className="eyebrow mb-0.5">{title}</dt>
      <dd className="text-sm break-words">{children}</dd>
    </div>
  );
}

const link = /https?:\/\/\S+[^\s.,;)]/g;

/** A text whose addresses can be followed. */
function Linked({ text }: { text: string }) {
  const links = text.match(link) ?? [];
  return text.split(link).map((part, i) => (
    <span key={i}>
      {part}
      {links[i] !== undefined && (
        <a href={links[i]} target="_blank" rel="noreferrer" className="break-all text-accent hover:underline">
          {links[i].replace(/^https?:\/\//, '')}
        </a>
      )}
    </span>
  ));
}

/** What a metric says of itself. */
export function About({ metric }: { metric: MetricAbout }) {
  const high = isBetterHigh(metric);
  return (
    <Card>
      <header className="px-5 pt-4 pb-3">
        <div className="flex flex-wrap items-center gap-2">
          <h2 className="font-mono text-lg font-semibold">{metric.name}</h2>
          <CopyIcon text={metric.name} label="Copy the name" />
          <Badge tone="info">{metric.family}</Badge>
          {metric.aliases.length > 0 && (
            <span className="min-w-0 truncate text-xs text-faint" title={metric.aliases.join(', ')}>
              also {metric.aliases.join(', ')}
            </span>
          )}
        </div>
        <p className="mt-1 text-base text-muted">{metric.summary}</p>
      </header>
      <dl className="grid gap-x-6 gap-y-3 border-t border-line px-5 py-4 sm:grid-cols-2 xl:grid-cols-4">
        <Fact title="Needs">
          <span className="flex flex-wrap gap-1">
            {metric.inputs.map((name) => (
              <Badge key={name} className="font-mono">
                {name}
              </Badge>
            ))}
            {metric.optional_inputs.map((name) => (
              <Badge key={name} className="border-dashed font-mono" title="Used if it is there">
                {name}?
              </Badge>
            ))}
          </span>
        </Fact>
        <Fact title="Values">{rangeOf(metric)}</Fact>
        <Fact title="Better">{high ? 'more' : 'less'}</Fact>
        <Fact title="Passes">
          {high ? 'from' : 'up to'} <span className="num font-medium">{metric.threshold}</span>
        </Fact>
      </dl>
      <dl className="space-y-3 border-t border-line px-5 py-4">
        <Fact title="Formula">{metric.formula}</Fact>
        <Fact title="Source">
          <Linked text={metric.source} />
        </Fact>
      </dl>
    </Card>
  );
}
