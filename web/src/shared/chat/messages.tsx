import {
  Bot,
  ChevronRight,
  CircleUserRound,
  Lightbulb,
  type LucideIcon,
  Paperclip,
  Settings2,
  TriangleAlert,
  Wrench,
} from 'lucide-react';
import { type ReactNode, useState } from 'react';

import type { Message, Part, ToolCallPart, ToolResponsePart } from '@/api/types';
import { asText } from '@/shared/format/text';
import { Badge } from '@/shared/ui/badge';
import { CopyIcon } from '@/shared/ui/copy';
import { cx } from '@/shared/ui/cx';
import { JsonTree } from '@/shared/ui/json-tree';

import { isPart, knownTurns, type PairedPart, pairTools, parseJson, readable, type Turn } from './pair';
import { LongText } from './text';

const roles: Record<string, { label: string; icon: LucideIcon; color: string }> = {
  system: { label: 'System', icon: Settings2, color: 'var(--kind-chain)' },
  user: { label: 'User', icon: CircleUserRound, color: 'var(--kind-retriever)' },
  assistant: { label: 'Assistant', icon: Bot, color: 'var(--kind-llm)' },
  tool: { label: 'Tool', icon: Wrench, color: 'var(--kind-tool)' },
};

function Fold({
  title,
  open: start = false,
  children,
}: {
  title: ReactNode;
  open?: boolean;
  children: ReactNode;
}) {
  const [open, setOpen] = useState(start);
  return (
    <div>
      <button
        type="button"
        aria-expanded={open}
        onClick={() => setOpen(!open)}
        className="flex w-full min-w-0 items-center gap-1.5 rounded-sm text-left text-xs text-muted hover:text-ink"
      >
        <ChevronRight
          size={13}
          className={cx('shrink-0 transition-transform', open && 'rotate-90')}
          aria-hidden
        />
        {title}
      </button>
      {open && <div className="mt-1.5 pl-5">{children}</div>}
    </div>
  );
}

/** JSON as a tree, text as text. */
function Value({ value }: { value: unknown }) {
  const parsed = parseJson(value);
  if (parsed === undefined || parsed === null || parsed === '')
    return <span className="text-xs text-faint">empty</span>;
  if (typeof parsed === 'object') return <JsonTree value={parsed} openTo={2} />;
  return <LongText text={asText(parsed)} plain clamp={900} />;
}

function ToolCall({ call, result }: { call: ToolCallPart; result?: ToolResponsePart }) {
  const failed = result?.is_error === true;
  return (
    <div className={cx('overflow-hidden rounded-md border', failed ? 'border-error/50' : 'border-line')}>
      <div className="flex h-8 items-center gap-2 bg-sunken pr-1 pl-2.5">
        <Wrench size={13} style={{ color: 'var(--kind-tool)' }} aria-hidden />
        <span className="truncate font-mono text-xs font-medium">{call.name}</span>
        {call.id && <span className="ml-auto truncate font-mono text-2xs text-faint">{call.id}</span>}
        <CopyIcon
          text={() => readable(call.arguments)}
          label="Copy the arguments"
          className={call.id ? '' : 'ml-auto'}
        />
      </div>
      <div className="p-2.5">
        <Value value={call.arguments} />
      </div>
      {result && (
        <div className="border-t border-line bg-sunken/50 p-2.5">
          <div className={cx('eyebrow mb-1 flex items-center gap-1', failed && 'text-error')}>
            {failed && <TriangleAlert size={11} aria-hidden />}
            {failed ? 'Tool failed' : 'Result'}
          </div>
          <Value value={result.response} />
        </div>
      )}
    </div>
  );
}

const imageTypes = /^image\/(png|jpe?g|gif|webp|avif|bmp)$/;

function Blob({ part }: { part: Extract<Part, { type: 'blob' }> }) {
  const type = part.mime_type ?? '';
  const size = Math.round((part.content.length * 3) / 4 / 1_024);
  // Only what browsers draw without running anything: no SVG.
  if (part.modality === 'image' && imageTypes.test(type)) {
    return (
      <img
        src={`data:${type};base64,${part.content}`}
        alt="Picture in the message"
        className="max-h-80 max-w-full rounded-md border border-line bg-sunken object-contain"
      />
    );
  }
  if (part.modality === 'audio' && type.startsWith('audio/')) {
    return <audio controls src={`data:${type};base64,${part.content}`} className="w-full max-w-md" />;
  }
  return (
    <Badge>
      <Paperclip size={11} aria-hidden /> {part.modality} {type} · {size} KB
    </Badge>
  );
}

function PartView({ part, plain }: { part: Part; plain?: boolean }) {
  if (isPart(part, 'text')) return <LongText text={part.content} plain={plain} />;
  if (isPart(part, 'tool_call')) return <ToolCall call={part} />;
  if (isPart(part, 'tool_call_response')) return <Value value={part.response} />;
  if (isPart(part, 'blob')) return <Blob part={part} />;
  if (isPart(part, 'refusal')) {
    return (
      <div className="rounded-md border-l-2 border-warn bg-warn-soft px-3 py-2">
        <div className="eyebrow text-warn">Refusal</div>
        {part.content}
      </div>
    );
  }
  if (isPart(part, 'reasoning')) {
    const text = part.content ?? '';
    return (
      <Fold
        title={
          <>
            <Lightbulb size={13} className="text-warn" aria-hidden /> Reasoning
            {text === '' && <span className="text-faint">(hidden by the provider)</span>}
          </>
        }
      >
        <div className="border-l-2 border-line pl-3 text-muted">
          {text === '' ? 'The provider shows no text of it.' : <LongText text={text} />}
        </div>
      </Fold>
    );
  }
  if (isPart(part, 'uri')) {
    const safe = /^https?:/i.test(part.uri);
    return (
      <Badge>
        <Paperclip size={11} aria-hidden /> {part.modality}
        {safe ? (
          <a
            href={part.uri}
            target="_blank"
            rel="noreferrer noopener"
            className="max-w-80 truncate underline"
          >
            {part.uri}
          </a>
        ) : (
          <span className="max-w-80 truncate">{part.uri}</span>
        )}
      </Badge>
    );
  }
  if (isPart(part, 'file')) {
    return (
      <Badge>
        <Paperclip size={11} aria-hidden /> file {part.file_id}
      </Badge>
    );
  }
  return <JsonTree value={part} openTo={1} />;
}

const textOf = (message: Message): string =>
  (message.parts ?? [])
    .map((part) => {
      if (isPart(part, 'text') || isPart(part, 'refusal')) return part.content;
      if (isPart(part, 'reasoning')) return part.content ?? '';
      return JSON.stringify(part, null, 2);
    })
    .join('\n\n');

function TurnParts({ parts, plain }: { parts: PairedPart[]; plain?: boolean }) {
  return (
    <div className="space-y-2.5">
      {parts.map((one, i) =>
        one.kind === 'call' ? (
          <ToolCall key={i} call={one.call} result={one.result} />
        ) : (
          <PartView key={i} part={one.part} plain={plain} />
        ),
      )}
    </div>
  );
}

function TurnView({ turn, output, plain }: { turn: Turn; output?: boolean; plain?: boolean }) {
  const { message, parts } = turn;
  const role = roles[message.role] ?? {
    label: message.role,
    icon: CircleUserRound,
    color: 'var(--kind-chain)',
  };
  const Icon = role.icon;
  return (
    <article
      aria-label={`${role.label} message`}
      className={cx('rounded-lg border bg-surface', output ? 'border-accent/40' : 'border-line')}
    >
      <header className="flex h-8 items-center gap-2 pr-1 pl-3 text-xs">
        <Icon size={14} style={{ color: role.color }} aria-hidden />
        <span className="font-semibold" style={{ color: role.color }}>
          {role.label}
        </span>
        {message.name && <span className="truncate text-muted">{message.name}</span>}
        <span className="ml-auto flex items-center gap-1.5">
          {message.finish_reason && (
            <Badge tone={message.finish_reason === 'stop' ? 'neutral' : 'info'}>
              {message.finish_reason}
            </Badge>
          )}
          <CopyIcon text={() => textOf(message)} label="Copy the message" />
        </span>
      </header>
      <div className="px-3 pb-3">
        {message.role === 'system' && textOf(message).length > 400 ? (
          <Fold title={<span className="truncate">{textOf(message).slice(0, 160)}</span>}>
            <TurnParts parts={parts} plain={plain} />
          </Fold>
        ) : (
          <TurnParts parts={parts} plain={plain} />
        )}
        {parts.length === 0 && <span className="text-xs text-faint">empty</span>}
      </div>
    </article>
  );
}

const shownAtFirst = 20;

const foldClass =
  'w-full rounded-md border border-dashed border-line-strong py-1.5 text-xs font-medium text-muted hover:bg-hover hover:text-ink';

/** Turns that earlier calls had said already: there for who asks. */
function Earlier({ turns, messages, plain }: { turns: Turn[]; messages: number; plain?: boolean }) {
  const [open, setOpen] = useState(false);
  return (
    <>
      <button
        type="button"
        aria-expanded={open}
        title="Earlier calls of this trace or session had said them already"
        className={cx(foldClass, 'flex items-center justify-center gap-1')}
        onClick={() => setOpen(!open)}
      >
        <ChevronRight size={13} className={cx('transition-transform', open && 'rotate-90')} aria-hidden />
        {messages} earlier {messages === 1 ? 'message' : 'messages'}
      </button>
      {open && turns.map((turn) => <TurnView key={turn.at} turn={turn} plain={plain} />)}
      {open && (
        <div className="eyebrow flex items-center gap-3 py-0.5">
          <span className="h-px flex-1 bg-line" />
          new in this call
          <span className="h-px flex-1 bg-line" />
        </div>
      )}
    </>
  );
}

/** A conversation: what went in, and under a line what came out. */
export function Messages({
  input,
  output,
  known = 0,
  plain,
}: {
  input: Message[];
  output: Message[];
  /** How many of the first of `input` earlier calls had said already. */
  known?: number;
  plain?: boolean;
}) {
  const [all, setAll] = useState(false);
  const paired = pairTools([...input, ...output]);
  const folded = knownTurns(paired, known);
  const turns = paired.slice(folded);
  const outputs = new Set(output);
  const hidden = all ? 0 : Math.max(0, turns.length - shownAtFirst);
  // The instructions stay in sight.
  const visible = hidden > 0 ? [...turns.slice(0, 1), ...turns.slice(hidden + 1)] : turns;
  return (
    <div className="space-y-2.5">
      {folded > 0 && (
        <Earlier turns={paired.slice(0, folded)} messages={turns[0]?.at ?? input.length} plain={plain} />
      )}
      {visible.map((turn, i) => (
        <div key={turn.at} className="space-y-2.5">
          <TurnView turn={turn} output={outputs.has(turn.message)} plain={plain} />
          {i === 0 && hidden > 0 && (
            <button type="button" className={foldClass} onClick={() => setAll(true)}>
              Show {hidden} {folded > 0 ? 'more' : 'earlier'} messages
            </button>
          )}
        </div>
      ))}
    </div>
  );
}

export { Fold, Value };
