import { ChevronRight } from 'lucide-react';

import { compactJson } from '@/shared/format/json';

import { CodeBlock } from './copy';

/** What something is, as the configuration would say it: folded, as it is seldom why somebody came. */
export function Definition({ value, note }: { value: object; note?: string }) {
  return (
    <details className="group">
      <summary className="flex w-fit list-none items-center gap-1.5 rounded-sm text-sm font-medium [&::-webkit-details-marker]:hidden">
        <ChevronRight
          size={14}
          className="text-faint transition-transform group-open:rotate-90"
          aria-hidden
        />
        Definition
      </summary>
      <div className="mt-2">
        <CodeBlock code={compactJson(value, 90)} />
        {note && <p className="mt-2 text-xs text-muted">{note}</p>}
      </div>
    </details>
  );
}
