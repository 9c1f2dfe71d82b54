import { useMutation } from '@tanstack/react-query';
import { useEffect, useState } from 'react';

import { ApiError } from '@/api/client';
import type { GuardAsk, JudgedText, Policy } from '@/api/types';
import { formatMicros } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';
import { Coded } from '@/shared/ui/coded';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

import { judge } from '../queries';
import { Marked, Scores } from './judged';
import { verdictTone } from './tones';

/** Typing pauses for so long before the draft is tried. */
const pauseMs = 300;
const mono = cx(inputClass, 'h-auto resize-y py-2 font-mono text-xs');

const kinds = { output: 'as output', input: 'as input', tool: 'as a tool call' };
type Kind = keyof typeof kinds;
const isKind = (text: string): text is Kind => text in kinds;

/** The server refuses a draft: no trial that failed, but one that can't be. */
export interface Refusal {
  /** What of it: `policies[2].options`. */
  field: string | undefined;
}

const refusalOf = (error: unknown): Refusal | undefined =>
  error instanceof ApiError && (error.status === 400 || error.status === 422)
    ? { field: error.field }
    : undefined;

/** What the draft is tried with. An empty text is asked, too: the server checks the policies then. */
interface Tried {
  text: string;
  tool: string;
  args: string;
}

function asked(kind: Kind, { text, tool, args }: Tried): Omit<GuardAsk, 'policies'> {
  if (kind !== 'tool') return { text, place: kind };
  // As the text that a model wrote: offsets of findings are those of what is shown.
  return { tool_calls: [{ name: tool, ...(args.trim() !== '' && { arguments: args }) }] };
}

function ToolCall({ tried, onChange }: { tried: Tried; onChange: (change: Partial<Tried>) => void }) {
  return (
    <>
      <input
        aria-label="Name of the tool"
        value={tried.tool}
        placeholder="name of the tool"
        spellCheck={false}
        className={cx(inputClass, 'font-mono text-xs')}
        onChange={({ target }) => onChange({ tool: target.value })}
      />
      <textarea
        aria-label="Arguments of the call, as JSON"
        value={tried.args}
        rows={3}
        placeholder='{"path": "/etc/passwd"}'
        spellCheck={false}
        className={mono}
        onChange={({ target }) => onChange({ args: target.value })}
      />
    </>
  );
}

function Answer({ text, us, judged }: { text: string; us: number; judged: JudgedText }) {
  return (
    <>
      <div className="flex items-center gap-2" role="status">
        <Badge tone={verdictTone[judged.verdict]}>{judged.verdict}</Badge>
        <span className="num text-xs text-muted">{formatMicros(us)}</span>
        <span className="text-xs text-faint">
          {judged.findings.length === 1 ? '1 finding' : `${judged.findings.length} findings`}
        </span>
      </div>
      {text !== '' && <Marked text={text} judged={judged} />}
      {judged.findings.length > 0 && (
        <ul className="max-h-40 space-y-1 overflow-y-auto text-xs">
          {judged.findings.map((one, i) => (
            <li key={i} className="break-words text-muted">
              <span className="font-mono text-ink">
                {one.scanner}.{one.rule}
              </span>{' '}
              <Coded text={one.message} />
            </li>
          ))}
        </ul>
      )}
      {judged.text !== undefined && (
        <p className="font-mono text-xs break-words whitespace-pre-wrap">
          <span className="mr-2 font-sans text-faint">goes on as</span>
          {judged.text}
        </p>
      )}
      <Scores judged={judged} />
    </>
  );
}

/** Tries a draft while it is typed, with a text or a call of a tool, and tells if the server refuses it. */
export function Trial({
  policies,
  about,
  onRefusal,
}: {
  policies: Policy[];
  /** The scanner that is being edited: of calls of tools is asked where it is about them. */
  about: string | undefined;
  onRefusal: (refusal: Refusal | undefined) => void;
}) {
  const [tried, setTried] = useState<Tried>({
    text: 'My address is ann@example.com.',
    tool: 'delete_user',
    args: '{"id": 7}',
  });
  const [chosen, setChosen] = useState<Kind>();
  const kind = chosen ?? (about === 'tool_policy' ? 'tool' : 'output');
  const [answer, setAnswer] = useState<{ text: string; us: number; judged?: JudgedText }>();
  const [error, setError] = useState<Error>();
  const { mutate } = useMutation({ mutationFn: judge });
  const question = JSON.stringify({ ...asked(kind, tried), policies });
  useEffect(() => {
    const ask = JSON.parse(question) as GuardAsk;
    const timer = setTimeout(() => {
      if (ask.policies?.length === 0) {
        setAnswer(undefined);
        setError(undefined);
        onRefusal(undefined);
        return;
      }
      mutate(ask, {
        onSuccess: ({ us, texts }) => {
          const args = ask.tool_calls?.[0]?.arguments;
          setAnswer({ text: ask.text ?? (typeof args === 'string' ? args : ''), us, judged: texts[0] });
          setError(undefined);
          onRefusal(undefined);
        },
        onError: (failed) => {
          setError(failed);
          onRefusal(refusalOf(failed));
        },
      });
    }, pauseMs);
    return () => clearTimeout(timer);
  }, [question, mutate, onRefusal]);
  const change = (part: Partial<Tried>): void => setTried({ ...tried, ...part });
  return (
    <section className="flex min-w-0 flex-col gap-2" aria-label="Try the draft">
      <div className="flex items-center gap-2">
        <h3 className="text-sm font-semibold whitespace-nowrap">Try the draft</h3>
        <div className="ml-auto w-36">
          <select
            aria-label="What is tried"
            value={kind}
            onChange={({ target }) => isKind(target.value) && setChosen(target.value)}
            className={inputClass}
          >
            {Object.entries(kinds).map(([value, label]) => (
              <option key={value} value={value}>
                {label}
              </option>
            ))}
          </select>
        </div>
      </div>
      {kind === 'tool' ? (
        <ToolCall tried={tried} onChange={change} />
      ) : (
        <textarea
          aria-label="Text to try the draft with"
          value={tried.text}
          rows={3}
          spellCheck={false}
          className={mono}
          onChange={({ target }) => change({ text: target.value })}
        />
      )}
      {error && (
        <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-xs break-words text-error">
          <Coded text={error.message} />
          {error instanceof ApiError && error.hint && <span className="block">{error.hint}</span>}
        </p>
      )}
      {policies.length === 0 && <p className="text-xs text-muted">Without a policy nothing is looked for.</p>}
      {answer?.judged && !error && <Answer text={answer.text} us={answer.us} judged={answer.judged} />}
    </section>
  );
}
