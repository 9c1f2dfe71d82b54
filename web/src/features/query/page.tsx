import { useQuery } from '@tanstack/react-query';
import { Ban, ChevronRight, Play, Square, Table2 } from 'lucide-react';
import { useRef, useState } from 'react';

import { tablesQuery } from '@/shared/data/query';
import { formatDuration } from '@/shared/format/numbers';
import { useShortcuts } from '@/shared/keys/use-shortcuts';
import { readLocal, writeLocal } from '@/shared/theme/theme';
import { useNow } from '@/shared/time/use-now';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Kbd } from '@/shared/ui/kbd';
import { PageHeader } from '@/shared/ui/page';
import { SkeletonRows } from '@/shared/ui/skeleton';
import { EmptyState, ErrorState } from '@/shared/ui/states';

import { examples } from './examples';
import { Result } from './parts/result';
import { isCancelled, type Run, useRun } from './run';

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

/** How long it has run. */
function Elapsed({ since }: { since: number }) {
  const now = useNow(100);
  return (
    <span className="num text-xs text-muted" aria-hidden>
      {(Math.max(0, now - since) / 1_000).toFixed(1)} s
    </span>
  );
}

/** Why there is no answer. */
function NoAnswer({ error, tookMs }: { error: Error; tookMs: number }) {
  if (isCancelled(error)) {
    return (
      <EmptyState
        icon={<Ban size={22} />}
        title={`Cancelled after ${formatDuration(tookMs)}`}
        className="flex-1"
      >
        It does not run any more.
      </EmptyState>
    );
  }
  return (
    <div className="flex min-h-0 flex-1 overflow-y-auto">
      <div className="m-auto">
        <ErrorState error={error} className="pb-2 whitespace-pre-wrap" />
        <p className="num pb-8 text-center text-xs text-faint">Failed after {formatDuration(tookMs)}</p>
      </div>
    </div>
  );
}

function Buttons({ run, empty, onRun }: { run: Run; empty: boolean; onRun: () => void }) {
  return (
    <div className="mt-2.5 flex h-8 items-center gap-3">
      <Button look="primary" disabled={run.running || empty} onClick={onRun}>
        <Play size={13} aria-hidden /> {run.running ? 'Running…' : 'Run'}
      </Button>
      {run.running ? (
        <>
          <Button disabled={run.cancelling} onClick={run.cancel}>
            <Square size={12} aria-hidden /> {run.cancelling ? 'Cancelling…' : 'Cancel'}
          </Button>
          <Elapsed since={run.startedAt} />
        </>
      ) : (
        <span className="flex items-center gap-1 text-xs text-faint">
          <Kbd>{navigator.userAgent.includes('Mac') ? '⌘' : 'Ctrl'}</Kbd>
          <Kbd>↵</Kbd>
        </span>
      )}
    </div>
  );
}

export function QueryPage() {
  const [sql, setSql] = useState(() => readLocal(key) ?? first);
  const editor = useRef<HTMLTextAreaElement>(null);
  const run = useRun();
  const { outcome } = run;
  const submit = (text: string): void => {
    writeLocal(key, text);
    if (text.trim() !== '') run.start(text);
  };
  const cancel = (): void => {
    run.cancel();
    // The button goes, and the keyboard's place with it.
    editor.current?.focus();
  };
  useShortcuts([
    { keys: 'escape', label: 'Cancel the query', group: 'Query', run: () => run.running && cancel() },
  ]);
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
            <Buttons run={{ ...run, cancel }} empty={sql.trim() === ''} onRun={() => submit(sql)} />
          </div>
          <div
            aria-busy={run.running}
            className={cx(
              'flex min-h-0 flex-1 flex-col border-t border-line bg-surface transition-opacity',
              run.running && outcome && 'opacity-60',
            )}
          >
            {outcome?.answer && <Result answer={outcome.answer} />}
            {outcome?.error && <NoAnswer error={outcome.error} tookMs={outcome.tookMs} />}
            {!outcome && run.running && <SkeletonRows rows={6} widths={['w-40', 'w-24', 'w-48', 'w-16']} />}
            {!outcome && !run.running && (
              <EmptyState icon={<Table2 size={22} />} title="Ask anything of your spans" className="flex-1">
                Run the query above, or take an example from the left. The tables and columns are listed there
                too.
              </EmptyState>
            )}
          </div>
        </div>
      </div>
    </>
  );
}
