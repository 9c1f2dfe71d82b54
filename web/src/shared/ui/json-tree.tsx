import { ChevronRight } from 'lucide-react';
import { useState } from 'react';

import { cx } from './cx';

const longText = 400;
const manyItems = 100;

function Text({ value }: { value: string }) {
  const [whole, setWhole] = useState(false);
  const cut = !whole && value.length > longText;
  return (
    <span className="break-words whitespace-pre-wrap text-[var(--kind-evaluator)]">
      &quot;{cut ? value.slice(0, longText) : value}
      {cut && '…'}&quot;
      {value.length > longText && (
        <button
          type="button"
          className="ml-2 text-2xs text-accent hover:underline"
          onClick={() => setWhole(!whole)}
        >
          {cut ? `show all ${value.length.toLocaleString('en-US')} characters` : 'show less'}
        </button>
      )}
    </span>
  );
}

function Scalar({ value }: { value: unknown }) {
  if (typeof value === 'string') return <Text value={value} />;
  if (typeof value === 'number') return <span className="num text-[var(--kind-retriever)]">{value}</span>;
  if (typeof value === 'boolean') return <span className="text-[var(--kind-llm)]">{String(value)}</span>;
  return <span className="text-faint">null</span>;
}

function Node({
  name,
  value,
  depth,
  openTo,
}: {
  name?: string;
  value: unknown;
  depth: number;
  openTo: number;
}) {
  const [open, setOpen] = useState(depth < openTo);
  const [shown, setShown] = useState(manyItems);
  const label = name !== undefined && <span className="text-muted">{name}: </span>;
  if (typeof value !== 'object' || value === null) {
    return (
      <div className="pl-4">
        {label}
        <Scalar value={value} />
      </div>
    );
  }
  const list = Array.isArray(value);
  const entries: [string, unknown][] = list
    ? value.map((item, index): [string, unknown] => [String(index), item])
    : Object.entries(value);
  const unit = (list ? 'item' : 'field') + (entries.length === 1 ? '' : 's');
  const [left, right] = list ? ['[', ']'] : ['{', '}'];
  if (entries.length === 0) {
    return (
      <div className="pl-4">
        {label}
        <span className="text-faint">
          {left}
          {right}
        </span>
      </div>
    );
  }
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        className="flex items-start rounded-sm text-left hover:bg-hover"
        onClick={() => setOpen(!open)}
      >
        <ChevronRight
          size={12}
          className={cx('mt-1 mr-1 shrink-0 text-faint transition-transform', open && 'rotate-90')}
        />
        <span>
          {label}
          <span className="text-faint">{open ? left : `${left} ${entries.length} ${unit} ${right}`}</span>
        </span>
      </button>
      {open && (
        <div className="ml-1.5 border-l border-line pl-2">
          {entries.slice(0, shown).map(([key, item]) => (
            <Node key={key} name={key} value={item} depth={depth + 1} openTo={openTo} />
          ))}
          {entries.length > shown && (
            <button
              type="button"
              className="pl-4 text-2xs text-accent hover:underline"
              onClick={() => setShown(shown + 10 * manyItems)}
            >
              {entries.length - shown} more
            </button>
          )}
        </div>
      )}
    </div>
  );
}

/** JSON that can be opened and closed; long texts and lists are cut until asked for. */
export function JsonTree({ value, openTo = 2 }: { value: unknown; openTo?: number }) {
  return (
    <div className="min-w-0 overflow-x-auto font-mono text-xs leading-5">
      <Node value={value} depth={0} openTo={openTo} />
    </div>
  );
}
