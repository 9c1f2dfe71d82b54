import { CircleHelp } from 'lucide-react';

import { IconButton } from '@/shared/ui/button';
import { Popover } from '@/shared/ui/popover';

/** What a search may say; crate `text` reads it. */
const forms: [form: string, meaning: string][] = [
  ['night train', 'both words, anywhere'],
  ['"night train"', 'these words side by side'],
  ['vien*', 'words that begin so'],
  ['-graz', 'without this word'],
  ['linz OR graz', 'either of them'],
];

/** How to search, beside the box. */
export function SearchHelp() {
  return (
    <Popover
      label="How to search"
      className="w-80 p-3"
      trigger={
        <IconButton label="How to search">
          <CircleHelp size={15} />
        </IconButton>
      }
    >
      <dl className="grid grid-cols-[auto_1fr] items-baseline gap-x-4 gap-y-1.5 text-sm">
        {forms.map(([form, meaning]) => (
          <div key={form} className="contents">
            <dt>
              <code className="rounded-sm border border-line bg-sunken px-1 font-mono text-xs">{form}</code>
            </dt>
            <dd className="text-muted">{meaning}</dd>
          </div>
        ))}
      </dl>
      <p className="mt-3 border-t border-line pt-2 text-xs text-faint">
        Looks in names, inputs, outputs and errors of spans, in any letter case.
      </p>
    </Popover>
  );
}
