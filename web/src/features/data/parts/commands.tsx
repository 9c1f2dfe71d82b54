import { ExternalLink } from 'lucide-react';

import { CodeBlock } from '@/shared/ui/copy';
import { Card } from '@/shared/ui/page';

const commands = (origin: string): { label: string; code: string }[] => [
  {
    label: 'Back up everything, while it runs',
    code: `signalbox backup --to /var/backups/signalbox \\
  --url ${origin}`,
  },
  {
    label: 'Bring a backup back',
    code: 'signalbox restore --from /var/backups/signalbox \\\n  --data ./signalbox-data',
  },
  {
    label: 'Export a week of spans',
    code: `signalbox export --from now-7d --out spans.parquet \\
  --url ${origin}`,
  },
];

/** What the command line does with the data, ready to paste. */
export function Commands() {
  return (
    <Card
      title="Backups and exports"
      aside={
        <a
          href="/api/docs"
          target="_blank"
          rel="noreferrer"
          className="mr-1 inline-flex items-center gap-1 rounded-sm px-1 text-xs font-medium text-accent hover:underline"
        >
          API reference <ExternalLink size={11} aria-hidden />
        </a>
      }
    >
      <div className="flex flex-col gap-3 px-4 pb-4">
        <p className="text-sm text-muted">
          Commands take the key from <code className="font-mono text-xs">SIGNALBOX_KEY</code>. A backup holds
          all projects and needs the first key; an export holds this project. How long rows are kept is{' '}
          <code className="font-mono text-xs">store.retention</code> in{' '}
          <code className="font-mono text-xs">signalbox.yaml</code>.
        </p>
        {commands(window.location.origin).map((command) => (
          <CodeBlock key={command.label} {...command} />
        ))}
      </div>
    </Card>
  );
}
