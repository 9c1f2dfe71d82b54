import { Braces } from 'lucide-react';
import { useState } from 'react';

import type { Query } from '@/api/types';
import { compactJson } from '@/shared/format/json';
import { IconButton } from '@/shared/ui/button';
import { CodeBlock } from '@/shared/ui/copy';
import { Dialog } from '@/shared/ui/dialog';

const curlOf = (query: Query): string =>
  [
    `curl ${window.location.origin}/api/v1/query \\`,
    `  -H "Authorization: Bearer $SIGNALBOX_KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${compactJson(query).replaceAll("'", `'\\''`)}'`,
  ].join('\n');

/** Shows the question behind a number, so that it can be asked from anywhere. */
export function QueryButton({
  title,
  query,
  className,
}: {
  title: string;
  query: Query;
  className?: string;
}) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <IconButton label={`The query behind ${title}`} className={className} onClick={() => setOpen(true)}>
        <Braces size={14} />
      </IconButton>
      <Dialog
        open={open}
        onOpenChange={setOpen}
        title={title}
        description="The one query behind these numbers: POST /api/v1/query."
        size="wide"
      >
        <div className="space-y-3">
          <CodeBlock label="Query" code={compactJson(query)} />
          <CodeBlock label="curl" code={curlOf(query)} />
        </div>
      </Dialog>
    </>
  );
}
