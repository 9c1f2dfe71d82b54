import { Trash2 } from 'lucide-react';
import { type ReactNode, useState } from 'react';

import type { Guardrails, Policy } from '@/api/types';
import { IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

import { firstOptions, hintOfServices, listOf } from '../draft';

const actions = ['flag', 'tokenise', 'redact', 'rewrite', 'block'] as const;
const places = ['input', 'output'] as const;

const meaning: Record<(typeof actions)[number], string> = {
  flag: 'record it, change nothing',
  tokenise: 'put a placeholder in its place, and the value back into the answer',
  redact: 'replace it by a mark',
  rewrite: 'answer with a safe reply',
  block: 'refuse the call, end the stream',
};

function Labelled({
  label,
  hint,
  wide,
  children,
}: {
  label: string;
  hint?: string;
  wide?: boolean;
  children: ReactNode;
}) {
  return (
    <label className={cx('block', wide && 'sm:col-span-2')}>
      <span className="mb-1 block text-xs font-medium">{label}</span>
      {children}
      {hint !== undefined && <span className="mt-1 block text-2xs text-faint">{hint}</span>}
    </label>
  );
}

/** JSON that is typed: what can't be read yet is kept as text, and said. */
function Options({
  policy,
  hint,
  onChange,
}: {
  policy: Policy;
  hint?: string;
  onChange: (options: Policy['options']) => void;
}) {
  const [text, setText] = useState(() => JSON.stringify(policy.options ?? {}, null, 2));
  const [wrong, setWrong] = useState(false);
  return (
    <Labelled
      label="Options (JSON)"
      wide
      {...(wrong ? { hint: 'This is no JSON object yet.' } : hint !== undefined && { hint })}
    >
      <textarea
        value={text}
        rows={Math.min(10, text.split('\n').length + 1)}
        spellCheck={false}
        aria-invalid={wrong || undefined}
        className={cx(inputClass, 'h-auto resize-y py-2 font-mono text-xs', wrong && 'border-error')}
        onChange={(event) => {
          setText(event.target.value);
          try {
            const read: unknown = JSON.parse(event.target.value);
            const isObject = typeof read === 'object' && read !== null && !Array.isArray(read);
            setWrong(!isObject);
            if (isObject) onChange(read as Policy['options']);
          } catch {
            setWrong(true);
          }
        }}
      />
    </Labelled>
  );
}

function Typed({
  label,
  value,
  hint,
  placeholder,
  wide,
  mono,
  onChange,
}: {
  label: string;
  value: string | undefined;
  hint?: string;
  placeholder?: string;
  wide?: boolean;
  mono?: boolean;
  onChange: (value: string | undefined) => void;
}) {
  return (
    <Labelled label={label} {...(hint !== undefined && { hint })} {...(wide && { wide })}>
      <input
        value={value ?? ''}
        placeholder={placeholder}
        spellCheck={false}
        className={cx(inputClass, mono && 'font-mono text-xs')}
        onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.value)}
      />
    </Labelled>
  );
}

/** Lists are typed with commas; what is half typed isn't torn away. */
function Listed({
  label,
  value,
  hint,
  onChange,
}: {
  label: string;
  value: string[];
  hint: string;
  onChange: (value: string[]) => void;
}) {
  const [text, setText] = useState(value.join(', '));
  return (
    <Typed
      label={label}
      value={text}
      hint={hint}
      mono
      onChange={(typed = '') => {
        setText(typed);
        onChange(listOf(typed));
      }}
    />
  );
}

function Fraction({
  label,
  value,
  hint,
  onChange,
}: {
  label: string;
  value: number | undefined;
  hint: string;
  onChange: (value: number | undefined) => void;
}) {
  return (
    <Labelled label={label} hint={hint}>
      <input
        type="number"
        min={0}
        max={1}
        step={0.05}
        value={value ?? ''}
        className={cx(inputClass, 'num')}
        onChange={(event) => onChange(event.target.value === '' ? undefined : event.target.valueAsNumber)}
      />
    </Labelled>
  );
}

/** One policy, open for editing. */
export function PolicyForm({
  policy,
  scanners,
  services,
  onChange,
  onRemove,
}: {
  policy: Policy;
  scanners: Guardrails['scanners'];
  services: string[];
  onChange: (policy: Policy) => void;
  onRemove: () => void;
}) {
  const set = (change: Partial<Record<keyof Policy, unknown>>): void =>
    onChange({ ...policy, ...change } as Policy);
  const scanner = scanners.find(({ name }) => name === policy.scanner);
  const on = policy.on ?? [...places];
  const action = policy.action ?? 'flag';
  return (
    <div className="grid gap-x-4 gap-y-3 sm:grid-cols-2">
      <Labelled label="Scanner" {...(scanner && { hint: scanner.summary })}>
        <select
          value={policy.scanner}
          className={cx(inputClass, 'font-mono text-xs')}
          onChange={({ target: { value } }) =>
            set({ scanner: value, rules: undefined, options: firstOptions(value, services) })
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
      <fieldset className="flex items-center gap-4 text-sm sm:col-span-2">
        <legend className="sr-only">Where</legend>
        {places.map((place) => (
          <label key={place} className="flex items-center gap-1.5">
            <input
              type="checkbox"
              checked={on.includes(place)}
              className="accent-accent"
              onChange={(event) =>
                set({ on: places.filter((one) => (one === place ? event.target.checked : on.includes(one))) })
              }
            />
            {place === 'input' ? 'what callers send' : 'what models answer'}
          </label>
        ))}
        <label className="flex items-center gap-1.5" title="Only record what would be done">
          <input
            type="checkbox"
            checked={policy.shadow ?? false}
            disabled={action === 'flag'}
            className="accent-accent"
            onChange={(event) => set({ shadow: event.target.checked || undefined })}
          />
          in shadow
        </label>
        <IconButton label="Remove this policy" className="ml-auto" onClick={onRemove}>
          <Trash2 size={14} aria-hidden />
        </IconButton>
      </fieldset>
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
        <Options
          key={policy.scanner}
          policy={policy}
          {...(policy.scanner === 'remote' && { hint: hintOfServices(services) })}
          onChange={(options) => set({ options })}
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
