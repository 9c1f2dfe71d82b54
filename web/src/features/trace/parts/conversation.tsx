import { FileText, MessageSquareOff, Wrench } from 'lucide-react';
import { useState } from 'react';

import type { SpanDetail, ToolDefinition } from '@/api/types';
import { Fold, Messages, Value } from '@/shared/chat/messages';
import { type Document, documentsOf, knownOf, parseJson, readable } from '@/shared/chat/pair';
import { LongText } from '@/shared/chat/text';
import { Badge } from '@/shared/ui/badge';
import { CopyIcon } from '@/shared/ui/copy';
import { cx } from '@/shared/ui/cx';
import { JsonTree } from '@/shared/ui/json-tree';
import { EmptyState } from '@/shared/ui/states';

function Tools({ tools }: { tools: ToolDefinition[] }) {
  return (
    <div className="rounded-lg border border-line bg-surface p-3">
      <Fold
        title={
          <>
            <Wrench size={13} style={{ color: 'var(--kind-tool)' }} aria-hidden />
            <span className="shrink-0 font-medium">
              {tools.length} {tools.length === 1 ? 'tool' : 'tools'} offered
            </span>
            <span className="truncate font-mono text-2xs text-faint">
              {tools.map((tool) => tool.name).join(', ')}
            </span>
          </>
        }
      >
        <ul className="space-y-3">
          {tools.map((tool) => (
            <li key={tool.name}>
              <div className="flex items-center gap-2">
                <span className="font-mono text-xs font-medium">{tool.name}</span>
                {tool.strict === true && <Badge>strict</Badge>}
              </div>
              {tool.description && <p className="text-sm text-muted">{tool.description}</p>}
              {tool.parameters !== undefined && tool.parameters !== null && (
                <JsonTree value={tool.parameters} openTo={1} />
              )}
            </li>
          ))}
        </ul>
      </Fold>
    </div>
  );
}

function Documents({ documents }: { documents: Document[] }) {
  return (
    <ul className="space-y-2">
      {documents.map((document, i) => (
        <li key={i} className="rounded-lg border border-line bg-surface p-3">
          <div className="mb-1 flex items-center gap-2 text-xs text-muted">
            <FileText size={13} style={{ color: 'var(--kind-retriever)' }} aria-hidden />
            <span className="num font-medium">#{i + 1}</span>
            {document.id && <span className="truncate font-mono text-2xs">{document.id}</span>}
            {document.score !== undefined && (
              <Badge className="num ml-auto">score {document.score.toFixed(3)}</Badge>
            )}
          </div>
          <LongText text={document.text} clamp={600} />
          {document.metadata !== undefined && document.metadata !== null && (
            <div className="mt-2">
              <JsonTree value={document.metadata} openTo={0} />
            </div>
          )}
        </li>
      ))}
    </ul>
  );
}

function Block({ title, value, highlight }: { title: string; value: unknown; highlight?: boolean }) {
  const parsed = parseJson(value);
  const documents = documentsOf(value);
  return (
    <section className={cx('rounded-lg border bg-surface', highlight ? 'border-accent/40' : 'border-line')}>
      <header className="flex h-8 items-center pr-1 pl-3 text-xs font-semibold text-muted">
        {title}
        {documents && <span className="num ml-2 font-normal text-faint">{documents.length} documents</span>}
        <CopyIcon
          text={() => readable(value)}
          label={`Copy the ${title.toLowerCase()}`}
          className="ml-auto"
        />
      </header>
      <div className="px-3 pb-3">
        {documents ? (
          <Documents documents={documents} />
        ) : typeof parsed === 'string' ? (
          <LongText text={parsed} />
        ) : (
          <Value value={parsed} />
        )}
      </div>
    </section>
  );
}

/** What went in and what came out, as a person reads it. */
export function Conversation({ span }: { span: SpanDetail }) {
  const [plain, setPlain] = useState(false);
  const { input_messages: input = [], output_messages: output = [], tools = [] } = span;
  const messages = input.length + output.length > 0;
  const other = span.input !== undefined || span.output !== undefined;
  return (
    <div className="space-y-2.5 p-4">
      {messages && (
        <div className="flex justify-end">
          <button
            type="button"
            aria-pressed={plain}
            className="rounded-sm text-xs text-faint hover:text-ink"
            onClick={() => setPlain(!plain)}
          >
            {plain ? 'Show as markdown' : 'Show as plain text'}
          </button>
        </div>
      )}
      {span.status === 'error' && (
        <div className="rounded-md bg-error-soft px-3 py-2 text-sm break-words text-error">
          <span className="font-semibold">{span.error_type ?? 'error'}</span>
          {span.status_message && `: ${span.status_message}`}
        </div>
      )}
      {tools.length > 0 && <Tools tools={tools} />}
      {messages && <Messages input={input} output={output} known={knownOf(span)} plain={plain} />}
      {span.input !== undefined && <Block title="Input" value={span.input} />}
      {span.output !== undefined && <Block title="Output" value={span.output} highlight />}
      {!messages && !other && (
        <EmptyState
          icon={<MessageSquareOff size={22} />}
          title="This span carries no content"
          className="py-14"
        >
          The sender recorded its time and name only. Some SDKs leave content out unless they are told to
          capture it.
        </EmptyState>
      )}
    </div>
  );
}
