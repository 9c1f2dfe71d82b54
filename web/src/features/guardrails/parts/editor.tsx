import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ChevronDown, ChevronRight, Plus } from 'lucide-react';
import { useEffect, useState } from 'react';

import type { Guardrails, JudgedText, Policy, PolicyException } from '@/api/types';
import { formatMicros } from '@/shared/format/numbers';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { Dialog } from '@/shared/ui/dialog';
import { inputClass } from '@/shared/ui/field';

import { type Draft, linesOfDraft, tidy } from '../draft';
import { changePolicies, guardrailsQuery, judge, versionsQuery } from '../queries';
import { Changes } from './changes';
import { Exceptions } from './exceptions';
import { PolicyForm } from './policy-form';
import { actionTone, verdictTone } from './tones';
import { Marked, Scores } from './judged';

/** Typing pauses for so long before the draft is tried. */
const pauseMs = 300;

const fresh = (): Policy => ({ scanner: 'secrets', on: ['output'], action: 'flag' });

/** Every key belongs to a policy for as long as the editor is open: its form keeps what is half typed. */
interface Item {
  key: number;
  policy: Policy;
}

function Trial({ policies }: { policies: Policy[] }) {
  const [text, setText] = useState('My address is ann@example.com.');
  const [place, setPlace] = useState<'input' | 'output'>('output');
  const [answer, setAnswer] = useState<{ text: string; us: number; judged?: JudgedText }>();
  const trial = useMutation({ mutationFn: judge });
  const { mutate } = trial;
  const isIdle = text === '' || policies.length === 0;
  const asked = JSON.stringify(policies);
  useEffect(() => {
    const wanted = JSON.parse(asked) as Policy[];
    if (text === '' || wanted.length === 0) return;
    const timer = setTimeout(() => {
      mutate(
        { text, place, policies: wanted },
        { onSuccess: ({ us, texts }) => setAnswer({ text, us, judged: texts[0] }) },
      );
    }, pauseMs);
    return () => clearTimeout(timer);
  }, [text, place, asked, mutate]);
  const error = isIdle ? null : trial.error;
  const judged = isIdle ? undefined : answer?.judged;
  return (
    <section className="flex min-w-0 flex-col gap-2" aria-label="Try the draft">
      <div className="flex items-center gap-2">
        <h3 className="text-sm font-semibold whitespace-nowrap">Try the draft</h3>
        <select
          aria-label="Place of the text"
          value={place}
          onChange={(event) => setPlace(event.target.value === 'input' ? 'input' : 'output')}
          className={cx(inputClass, 'ml-auto h-7 w-28 text-xs')}
        >
          <option value="output">as output</option>
          <option value="input">as input</option>
        </select>
      </div>
      <textarea
        aria-label="Text to try the draft with"
        value={text}
        rows={3}
        spellCheck={false}
        className={cx(inputClass, 'h-auto resize-y py-2 font-mono text-xs')}
        onChange={(event) => setText(event.target.value)}
      />
      {error !== null && (
        <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-xs break-words text-error">
          {error.message}
        </p>
      )}
      {policies.length === 0 && <p className="text-xs text-muted">Without a policy nothing is looked for.</p>}
      {judged && error === null && (
        <>
          <div className="flex items-center gap-2" role="status">
            <Badge tone={verdictTone[judged.verdict]}>{judged.verdict}</Badge>
            <span className="num text-xs text-muted">{answer && formatMicros(answer.us)}</span>
            <span className="text-xs text-faint">
              {judged.findings.length === 1 ? '1 finding' : `${judged.findings.length} findings`}
            </span>
          </div>
          <Marked text={answer?.text ?? ''} judged={judged} />
          {judged.text !== undefined && (
            <p className="font-mono text-xs break-words whitespace-pre-wrap">
              <span className="mr-2 font-sans text-faint">goes on as</span>
              {judged.text}
            </p>
          )}
          <Scores judged={judged} />
        </>
      )}
    </section>
  );
}

function Header({ policy, open, onToggle }: { policy: Policy; open: boolean; onToggle: () => void }) {
  const action = policy.action ?? 'flag';
  return (
    <button
      type="button"
      aria-expanded={open}
      onClick={onToggle}
      className="flex w-full items-center gap-2 px-3 py-2 text-left text-sm hover:bg-hover"
    >
      {open ? <ChevronDown size={14} aria-hidden /> : <ChevronRight size={14} aria-hidden />}
      <span className="font-mono text-xs">{policy.scanner}</span>
      {policy.name !== undefined && <span className="truncate text-muted">{policy.name}</span>}
      <span className="ml-auto flex items-center gap-1">
        <span className="text-xs text-faint">{(policy.on ?? ['input', 'output']).join(', ')}</span>
        <Badge tone={actionTone[action]}>{action}</Badge>
        {policy.shadow === true && <Badge>in shadow</Badge>}
      </span>
    </button>
  );
}

/** Changes the policies that the project adds: forms, a live trial, what changes, and why. */
export function Editor({
  start,
  guardrails,
  onClose,
}: {
  /** What the forms begin with: what is in force, or an earlier version. */
  start: Draft;
  guardrails: Guardrails;
  onClose: () => void;
}) {
  const client = useQueryClient();
  const [items, setItems] = useState<Item[]>(() => start.policies.map((policy, key) => ({ key, policy })));
  const [exceptions, setExceptions] = useState<PolicyException[]>(start.exceptions);
  const [next, setNext] = useState(start.policies.length);
  const [open, setOpen] = useState<number | undefined>(start.policies.length === 1 ? 0 : undefined);
  const [rationale, setRationale] = useState('');
  const policies = items.map(({ policy }) => tidy(policy));
  const { own } = guardrails;
  const before = linesOfDraft(own);
  const after = linesOfDraft({ policies, exceptions });
  const isSame = before.join('\n') === after.join('\n');
  const save = useMutation({
    mutationFn: () =>
      changePolicies({ base: own.version, rationale: rationale.trim(), policies, exceptions }),
    onSuccess: async () => {
      await Promise.all([
        client.invalidateQueries({ queryKey: guardrailsQuery.queryKey }),
        client.invalidateQueries({ queryKey: versionsQuery.queryKey }),
      ]);
      onClose();
    },
  });
  const add = (): void => {
    setItems([...items, { key: next, policy: fresh() }]);
    setOpen(next);
    setNext(next + 1);
  };
  return (
    <Dialog
      open
      onOpenChange={(stays) => !stays && onClose()}
      size="huge"
      title="Policies of this project"
      description="They are added to those of signalbox.yaml. Of several policies about one finding, the strongest action counts."
    >
      <div className="grid gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <div className="flex min-w-0 flex-col gap-3">
          {items.length === 0 && <p className="text-sm text-muted">No policies yet.</p>}
          {items.map(({ key, policy }) => (
            <div key={key} className="overflow-hidden rounded-md border border-line">
              <Header
                policy={policy}
                open={open === key}
                onToggle={() => setOpen(open === key ? undefined : key)}
              />
              {open === key && (
                <div className="border-t border-line p-3">
                  <PolicyForm
                    policy={policy}
                    scanners={guardrails.scanners}
                    services={guardrails.services}
                    onChange={(changed) =>
                      setItems(items.map((item) => (item.key === key ? { key, policy: changed } : item)))
                    }
                    onRemove={() => setItems(items.filter((item) => item.key !== key))}
                  />
                </div>
              )}
            </div>
          ))}
          <Button size="sm" className="self-start" onClick={add}>
            <Plus size={13} aria-hidden /> Add a policy
          </Button>
          <Exceptions exceptions={exceptions} scanners={guardrails.scanners} onChange={setExceptions} />
        </div>
        <div className="flex min-w-0 flex-col gap-5">
          <Trial policies={policies} />
          <section className="flex flex-col gap-2" aria-label="What changes">
            <h3 className="text-sm font-semibold">What changes</h3>
            <Changes before={before} after={after} />
            <label className="block">
              <span className="mb-1 block text-xs font-medium">Why</span>
              <input
                value={rationale}
                maxLength={2000}
                placeholder="It stands in the history."
                className={inputClass}
                onChange={(event) => setRationale(event.target.value)}
              />
            </label>
            {save.isError && (
              <p role="alert" className="rounded-md bg-error-soft px-3 py-2 text-xs break-words text-error">
                {save.error.message}
              </p>
            )}
            <div className="flex justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button
                look="primary"
                disabled={isSame || rationale.trim() === '' || save.isPending}
                onClick={() => save.mutate()}
              >
                {save.isPending ? 'Saving…' : `Save as version ${own.version + 1}`}
              </Button>
            </div>
          </section>
        </div>
      </div>
    </Dialog>
  );
}
