import { useState } from 'react';

import { CodeBlock } from './copy';
import { cx } from './cx';

/** The same in several languages, ready to paste. */
export function CodeTabs({ label, snippets }: { label: string; snippets: { id: string; code: string }[] }) {
  const [id, setId] = useState(snippets[0]?.id);
  const shown = snippets.find((one) => one.id === id);
  return (
    <div className="min-w-0">
      <div role="tablist" aria-label={label} className="mb-2 flex flex-wrap gap-1">
        {snippets.map((one) => (
          <button
            key={one.id}
            type="button"
            role="tab"
            aria-selected={one.id === id}
            onClick={() => setId(one.id)}
            className={cx(
              'rounded-md px-2.5 py-1 text-xs font-medium',
              one.id === id ? 'bg-accent-soft text-accent' : 'text-muted hover:bg-hover',
            )}
          >
            {one.id}
          </button>
        ))}
      </div>
      {shown && <CodeBlock code={shown.code} />}
    </div>
  );
}
