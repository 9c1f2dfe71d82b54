import { useMutation, useQueryClient } from '@tanstack/react-query';
import { ChevronDown, ChevronRight, CircleAlert, Plus } from 'lucide-react';
import { useState } from 'react';

import type { Guardrails, Policy, PolicyException } from '@/api/types';
import { Badge } from '@/shared/ui/badge';
import { Button } from '@/shared/ui/button';
import { Coded } from '@/shared/ui/coded';
import { Dialog } from '@/shared/ui/dialog';
import { inputClass } from '@/shared/ui/field';

import { type Draft, type Edited, indexOf, linesOfDraft, tidy, whyNot } from '../draft';
import { changePolicies, guardrailsQuery, versionsQuery } from '../queries';
import { Changes } from './changes';
import { Exceptions } from './exceptions';
import { PolicyForm } from './policy-form';
import { actionTone } from './tones';
import { type Refusal, Trial } from './trial';

const fresh = (): Policy => ({ scanner: 'secrets', on: ['output'], action: 'flag' });

/** Every key belongs to a policy for as long as the editor is open: its form keeps what is half typed. */
interface Item extends Edited {
  key: number;
}

function Header({
  policy,
  wrong,
  open,
  onToggle,
}: {
  policy: Policy;
  /** The server or its form has something against it. */
  wrong: boolean;
  open: boolean;
  onToggle: () => void;
}) {
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
      {wrong && (
        <CircleAlert size={13} className="shrink-0 text-error" aria-label="Something is wrong with it" />
      )}
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
  const [items, setItems] = useState<Item[]>(() =>
    start.policies.map((policy, key) => ({ key, policy, unread: {} })),
  );
  const [exceptions, setExceptions] = useState<PolicyException[]>(start.exceptions);
  const [next, setNext] = useState(start.policies.length);
  const [open, setOpen] = useState<number | undefined>(start.policies.length === 1 ? 0 : undefined);
  const [rationale, setRationale] = useState('');
  const [refusal, setRefusal] = useState<Refusal>();
  const policies = items.map(({ policy }) => tidy(policy));
  const { own } = guardrails;
  const before = linesOfDraft(own);
  const after = linesOfDraft({ policies, exceptions });
  const isSame = before.join('\n') === after.join('\n');
  const problem = whyNot({ isSame, rationale, edited: items, isRefused: refusal !== undefined });
  const refused = indexOf(refusal?.field);
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
    setItems([...items, { key: next, policy: fresh(), unread: {} }]);
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
          {items.map(({ key, policy, unread }, i) => (
            <div key={key} className="overflow-hidden rounded-md border border-line">
              <Header
                policy={policy}
                wrong={i === refused || Object.keys(unread).length > 0}
                open={open === key}
                onToggle={() => setOpen(open === key ? undefined : key)}
              />
              {open === key && (
                <div className="border-t border-line p-3">
                  <PolicyForm
                    policy={policy}
                    unread={unread}
                    scanners={guardrails.scanners}
                    services={guardrails.services}
                    onChange={(changed, typed) =>
                      setItems(
                        items.map((item) =>
                          item.key === key ? { key, policy: changed, unread: typed } : item,
                        ),
                      )
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
          <Trial
            policies={policies}
            about={items.find(({ key }) => key === open)?.policy.scanner}
            onRefusal={setRefusal}
          />
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
            {problem !== undefined && (
              <p id="why-not-saved" className="text-xs break-words text-muted">
                <Coded text={problem} />
              </p>
            )}
            <div className="flex justify-end gap-2">
              <Button onClick={onClose}>Cancel</Button>
              <Button
                look="primary"
                disabled={problem !== undefined || save.isPending}
                {...(problem !== undefined && { 'aria-describedby': 'why-not-saved' })}
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
