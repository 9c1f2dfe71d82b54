import { Link } from '@tanstack/react-router';
import { ListFilter, Search } from 'lucide-react';
import { useState } from 'react';

import type { SpanDetail } from '@/api/types';
import { CopyIcon } from '@/shared/ui/copy';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { EmptyState } from '@/shared/ui/states';
import { chipIs, writeChip } from '@/shared/url/filters';

function Table({ title, prefix, entries }: { title: string; prefix: string; entries: [string, string][] }) {
  if (entries.length === 0) return null;
  return (
    <section>
      <h3 className="eyebrow mb-1">{title}</h3>
      <table className="w-full table-fixed border-y border-line font-mono text-xs">
        <tbody className="divide-y divide-line">
          {entries.map(([name, value]) => (
            <tr key={name} className="group align-top hover:bg-hover">
              <th
                scope="row"
                className="w-[42%] py-1.5 pr-3 pl-1 text-left font-normal break-words text-muted"
              >
                {name}
              </th>
              <td className="py-1.5 break-words whitespace-pre-wrap">
                <div className="max-h-40 overflow-y-auto">{value}</div>
              </td>
              <td className="w-16 text-right whitespace-nowrap">
                <span className="opacity-0 group-focus-within:opacity-100 group-hover:opacity-100">
                  <Link
                    to="/traces"
                    search={{ f: [writeChip(chipIs(`${prefix}.${name}`, value))] }}
                    title="Filter by this value"
                    aria-label={`Filter by ${name}`}
                    className="inline-flex size-7 items-center justify-center rounded-md text-faint hover:bg-line hover:text-ink"
                  >
                    <ListFilter size={13} />
                  </Link>
                  <CopyIcon text={value} label={`Copy ${name}`} />
                </span>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** What was sent that has no column of its own. */
export function Attributes({ span }: { span: SpanDetail }) {
  const [text, setText] = useState('');
  const wanted = text.trim().toLowerCase();
  const entriesOf = (map: Record<string, string> | undefined): [string, string][] =>
    Object.entries(map ?? {})
      .filter(([name, value]) => `${name} ${value}`.toLowerCase().includes(wanted))
      .sort(([a], [b]) => a.localeCompare(b));
  const [own, resource] = [entriesOf(span.attributes), entriesOf(span.resource_attributes)];
  const none = Object.keys({ ...span.attributes, ...span.resource_attributes }).length === 0;
  if (none)
    return (
      <EmptyState title="No further attributes" className="py-16">
        Everything that was sent has a place in Details.
      </EmptyState>
    );
  return (
    <div className="space-y-5 p-4">
      <div className="relative">
        <Search
          size={13}
          className="pointer-events-none absolute top-[9px] left-2.5 text-faint"
          aria-hidden
        />
        <input
          aria-label="Search attributes"
          placeholder="Search attributes"
          value={text}
          onChange={(event) => setText(event.target.value)}
          className={cx(inputClass, 'pl-8')}
        />
      </div>
      <Table title="Span" prefix="attributes" entries={own} />
      <Table title="Resource" prefix="resource_attributes" entries={resource} />
      {own.length + resource.length === 0 && (
        <p className="text-center text-sm text-muted">No attribute matches.</p>
      )}
    </div>
  );
}
