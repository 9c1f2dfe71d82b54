import { useMutation, useQuery } from '@tanstack/react-query';
import { ChevronRight, Play, Table2 } from 'lucide-react';
import { useRef, useState } from 'react';

import { api, call } from '@/api/client';
import { tablesQuery } from '@/shared/data/query';
import { readLocal, writeLocal } from '@/shared/theme/theme';
import { Button } from '@/shared/ui/button';
import { Kbd } from '@/shared/ui/kbd';
import { PageHeader } from '@/shared/ui/page';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { examples } from './examples';
import { Result } from './parts/result';

const key = 'signalbox.query.sql';
const first = examples[0]?.sql ?? '';

function Columns({ onPick }: { onPick: (name: string) => void }) {
  const tables = useQuery(tablesQuery);
  return (
    <div className="min-h-0 flex-1 overflow-y-auto px-2 pb-4">
      {tables.data?.tables.map((table) => (
        <details key={table.name} open={table.name === 'spans'} className="group">
          <summary
            title={table.doc}
            className="flex h-7 list-none items-center gap-1.5 rounded-md px-2 text-sm font-medium hover:bg-hover"
          >
            <ChevronRight
              size={13}
              className="text-faint transition-transform group-open:rotate-90"
              aria-hidden
            />
            <Table2 size={13} className="text-faint" aria-hidden />
            {table.name}
          </summary>
          <ul className="pb-2">
            {table.columns.map((column) => (
              <li key={column.name}>
                <button
                  type="button"
                  title={`${column.doc}\nClick to insert`}
                  onClick={() => onPick(column.name)}
                  className="flex h-6 w-full items-center gap-2 rounded-md pr-2 pl-7 text-left font-mono text-xs text-muted hover:bg-hover hover:text-ink"
                >
                  <span className="truncate">{column.name}</span>
                  <span className="ml-auto text-2xs text-faint">{column.type}</span>
                </button>
              </li>
            ))}
          </ul>
        </details>
      ))}
    </div>
  );
}

export function QueryPage() {
  const [sql, setSql] = useState(() => readLocal(key) ?? first);
  const editor = useRef<HTMLTextAreaElement>(null);
  const run = useMutation({
    mutationFn: (text: string) => call(api.POST('/api/v1/sql', { body: { sql: text } })),
  });
  const submit = (text: string): void => {
    writeLocal(key, text);
    if (text.trim() !== '') run.mutate(text);
  };
  const insert = (name: string): void => {
    const { selectionStart: start = sql.length, selectionEnd: end = sql.length } = editor.current ?? {};
    setSql(sql.slice(0, start) + name + sql.slice(end));
    editor.current?.focus();
  };
  return (
    <>
      <title>Query · Signalbox</title>
      <PageHeader title="Query">
        <span className="text-xs text-faint">Read-only SQL over this project's events</span>
      </PageHeader>
      <div className="flex min-h-0 flex-1">
        <aside className="flex w-60 shrink-0 flex-col border-r border-line bg-surface max-md:hidden">
          <div className="eyebrow px-4 pt-3 pb-1">Examples</div>
          <ul className="px-2 pb-2">
            {examples.map((example) => (
              <li key={example.title}>
                <button
                  type="button"
                  className="w-full truncate rounded-md px-2 py-1 text-left text-sm text-muted hover:bg-hover hover:text-ink"
                  onClick={() => {
                    setSql(example.sql);
                    submit(example.sql);
                  }}
                >
                  {example.title}
                </button>
              </li>
            ))}
          </ul>
          <div className="eyebrow px-4 pt-1 pb-1">Tables</div>
          <Columns onPick={insert} />
        </aside>
        <div className="flex min-w-0 flex-1 flex-col">
          <div className="shrink-0 bg-surface p-4">
            <textarea
              ref={editor}
              aria-label="SQL"
              spellCheck={false}
              rows={Math.min(14, Math.max(6, sql.split('\n').length + 1))}
              value={sql}
              onChange={(event) => setSql(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Enter' || !(event.metaKey || event.ctrlKey)) return;
                event.preventDefault();
                submit(sql);
              }}
              className="block w-full resize-y rounded-lg border border-line-strong bg-sunken p-3 font-mono text-sm leading-5 focus:border-accent focus:outline-none focus-visible:ring-2 focus-visible:ring-accent/30"
            />
            <div className="mt-2.5 flex items-center gap-3">
              <Button
                look="primary"
                disabled={run.isPending || sql.trim() === ''}
                onClick={() => submit(sql)}
              >
                <Play size={13} aria-hidden /> {run.isPending ? 'Running…' : 'Run'}
              </Button>
              <span className="flex items-center gap-1 text-xs text-faint">
                <Kbd>{navigator.userAgent.includes('Mac') ? '⌘' : 'Ctrl'}</Kbd>
                <Kbd>↵</Kbd>
              </span>
            </div>
          </div>
          {run.isError && (
            <ErrorState
              error={run.error}
              className="flex-1 border-t border-line bg-surface whitespace-pre-wrap"
            />
          )}
          {!run.isError && run.data && <Result answer={run.data} />}
          {!run.isError && !run.data && (
            <EmptyState
              icon={<Table2 size={22} />}
              title="Ask anything of your spans"
              className="flex-1 border-t border-line bg-surface"
            >
              Run the query above, or take an example from the left. The tables and columns are listed there
              too.
            </EmptyState>
          )}
        </div>
      </div>
    </>
  );
}
