import { lazy, Suspense, useState } from 'react';

import { cx } from '@/shared/ui/cx';

const Markdown = lazy(() => import('./markdown'));

const clampChars = 1_800;
/** Markdown beyond this is shown as plain text: parsing it would freeze the page. */
const markdownChars = 60_000;

function cutAt(text: string, length: number): string {
  const end = text.lastIndexOf('\n', length);
  return text.slice(0, end > length / 2 ? end : length);
}

/** A text of a message: markdown or plain, long ones folded. */
export function LongText({
  text,
  plain,
  clamp = clampChars,
}: {
  text: string;
  plain?: boolean;
  clamp?: number;
}) {
  const [open, setOpen] = useState(false);
  const long = text.length > clamp * 1.3;
  const shown = long && !open ? cutAt(text, clamp) : text;
  const flat = <div className="break-words whitespace-pre-wrap">{shown}</div>;
  return (
    <div>
      <div
        className={cx(
          'relative',
          long && !open && '[mask-image:linear-gradient(to_bottom,black_calc(100%-3rem),transparent)]',
        )}
      >
        {plain === true || shown.length > markdownChars ? (
          flat
        ) : (
          <Suspense fallback={flat}>
            <Markdown text={shown} />
          </Suspense>
        )}
      </div>
      {long && (
        <button
          type="button"
          className="mt-1 rounded-sm text-xs font-medium text-accent hover:underline"
          onClick={() => setOpen(!open)}
        >
          {open ? 'Show less' : `Show all ${text.length.toLocaleString('en-US')} characters`}
        </button>
      )}
    </div>
  );
}
