import { Trash2 } from 'lucide-react';

import type { Guardrails, Policy } from '@/api/types';
import { IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

import { firstOptions, type Unread } from '../draft';
import { Check, Fraction, Labelled, Listed, Typed } from './inputs';
import { OptionFields } from './option-fields';

const actions = ['flag', 'tokenise', 'redact', 'rewrite', 'block'] as const;
const places = ['input', 'output'] as const;
const speakers = ['system', 'user', 'assistant', 'tool'] as const;

const meaning: Record<(typeof actions)[number], string> = {
  flag: 'record it, change nothing',
  tokenise: 'put a placeholder in its place, and the value back into the answer',
  redact: 'replace it by a mark',
  rewrite: 'answer with a safe reply',
  block: 'refuse the call, end the stream',
};

/** One policy, open for editing. */
export function PolicyForm({
  policy,
  unread,
  scanners,
  services,
  onChange,
  onRemove,
}: {
  policy: Policy;
  /** What is typed for an option and can't be read yet, by its name. */
  unread: Unread;
  scanners: Guardrails['scanners'];
  services: string[];
  onChange: (policy: Policy, unread: Unread) => void;
  onRemove: () => void;
}) {
  const set = (change: Partial<Record<keyof Policy, unknown>>, typed = unread): void =>
    onChange({ ...policy, ...change } as Policy, typed);
  const scanner = scanners.find(({ name }) => name === policy.scanner);
  const on = policy.on ?? [...places];
  const action = policy.action ?? 'flag';
  const roles = policy.roles && policy.roles.length > 0 ? policy.roles : [...speakers];
  const hear = (role: (typeof speakers)[number], heard: boolean): void => {
    const next = speakers.filter((one) => (one === role ? heard : roles.includes(one)));
    // All of them and none are the same to the server: the last one stays.
    if (next.length > 0) set({ roles: next.length === speakers.length ? undefined : next });
  };
  return (
    <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2">
      <Labelled label="Scanner" {...(scanner && { hint: scanner.summary })}>
        <select
          value={policy.scanner}
          className={cx(inputClass, 'font-mono text-xs')}
          onChange={({ target: { value } }) =>
            set({ scanner: value, rules: undefined, options: firstOptions(value, services) }, {})
          }
        >
          {scanners.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </Labelled>
      <Labelled label="Action" hint={meaning[action]}>
        <select
          value={action}
          className={inputClass}
          onChange={(event) => set({ action: event.target.value })}
        >
          {actions.map((one) => (
            <option key={one} value={one}>
              {one}
            </option>
          ))}
        </select>
      </Labelled>
      <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1.5 text-sm sm:col-span-2">
        <legend className="sr-only">Where</legend>
        {places.map((place) => (
          <Check
            key={place}
            label={place === 'input' ? 'what callers send' : 'what models answer'}
            checked={on.includes(place)}
            onChange={(checked) =>
              set({
                on: places.filter((one) => (one === place ? checked : on.includes(one))),
                ...(place === 'input' && !checked && { roles: undefined }),
              })
            }
          />
        ))}
        <Check
          label="in shadow"
          title="Only record what would be done"
          checked={policy.shadow ?? false}
          disabled={action === 'flag'}
          onChange={(shadow) => set({ shadow: shadow || undefined })}
        />
        <IconButton label="Remove this policy" className="ml-auto" onClick={onRemove}>
          <Trash2 size={14} aria-hidden />
        </IconButton>
      </fieldset>
      {on.includes('input') && (
        <fieldset className="flex flex-wrap items-center gap-x-4 gap-y-1.5 text-sm sm:col-span-2">
          <legend className="mb-1 text-xs text-muted">
            Whose texts, in what callers send (system: rules of the application, definitions of tools)
          </legend>
          {speakers.map((role) => (
            <Check
              key={role}
              label={role}
              checked={roles.includes(role)}
              onChange={(heard) => hear(role, heard)}
            />
          ))}
        </fieldset>
      )}
      {action === 'rewrite' && (
        <Typed
          label="Reply"
          wide
          value={policy.reply}
          placeholder="I can't talk about that here."
          onChange={(reply) => set({ reply })}
        />
      )}
      {scanner?.options !== undefined && (
        <OptionFields
          key={policy.scanner}
          scanner={scanner}
          options={policy.options}
          unread={unread}
          services={services}
          onChange={(options, typed) => set({ options }, typed)}
        />
      )}
      <Fraction
        label="At least so sure"
        value={policy.min_confidence}
        hint="0 to 1; empty for all"
        onChange={(min_confidence) => set({ min_confidence })}
      />
      <Fraction
        label="Share of calls"
        value={policy.sample}
        hint="above 0, up to 1; empty for all"
        onChange={(sample) => set({ sample })}
      />
      <Typed
        label="Only calls with"
        wide
        mono
        value={policy.when}
        placeholder="'beta' in tags && user != ''"
        hint="A condition in CEL over key, model, route, endpoint, user, session, tags, metadata …"
        onChange={(when) => set({ when })}
      />
      <Listed
        key={`rules ${policy.scanner}`}
        label="Only these rules"
        value={policy.rules ?? []}
        hint={`e.g. ${scanner?.rules[0]?.name ?? ''}; empty for all`}
        onChange={(rules) => set({ rules })}
      />
      <Listed
        label="Texts that are no finding"
        value={policy.allow ?? []}
        hint="* stands for anything: sk-test-*"
        onChange={(allow) => set({ allow })}
      />
      <Typed
        label="Name"
        value={policy.name}
        hint="told in its findings"
        onChange={(name) => set({ name })}
      />
      <Typed
        label="Owner"
        value={policy.owner}
        hint="who answers for it"
        onChange={(owner) => set({ owner })}
      />
      <Typed
        label="Rationale"
        wide
        value={policy.rationale}
        hint="why it is there, and since when"
        onChange={(rationale) => set({ rationale })}
      />
    </div>
  );
}
