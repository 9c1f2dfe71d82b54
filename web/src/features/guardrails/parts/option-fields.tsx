import { useState } from 'react';

import type { Guardrails } from '@/api/types';
import { Coded } from '@/shared/ui/coded';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

import { hintOfServices, type Unread } from '../draft';
import {
  aboutOptions,
  fieldsOf,
  type OptionField,
  type Options,
  read,
  typedOf,
  withOption,
} from '../options';
import { Labelled } from './inputs';

const most = { least: 2, rows: 12 };
const saysHow: Partial<Record<OptionField['kind'], string>> = {
  texts: 'One a line.',
  topics: 'One topic a line, as topic: word, word.',
  json: 'Typed as JSON.',
};

/** What may stand in an option that is typed as JSON. */
function Parts({ parts }: { parts: { name: string; about: string }[] }) {
  return (
    <dl className="mt-1 grid grid-cols-[auto_1fr] gap-x-3 gap-y-0.5 text-2xs">
      {parts.map(({ name, about }) => (
        <div key={name} className="contents">
          <dt className="font-mono text-muted">{name}</dt>
          <dd className="text-faint">
            <Coded text={about} />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** An option that is typed: what can't be read yet is kept as text, and said. */
function TypedOption({
  field,
  value,
  unread,
  onChange,
  onUnread,
}: {
  field: OptionField;
  value: unknown;
  unread: string | undefined;
  onChange: (value: unknown) => void;
  onUnread: (text: string) => void;
}) {
  const { name, kind, about, example, parts = [] } = field;
  const [text, setText] = useState(() => unread ?? typedOf(kind, value));
  const answer = read(field, text);
  const problem = 'problem' in answer ? answer.problem : undefined;
  const type = (typed: string): void => {
    setText(typed);
    const next = read(field, typed);
    if ('problem' in next) onUnread(typed);
    else onChange(next.value);
  };
  const rows = Math.max(text.split('\n').length, text === '' ? (example ?? '').split('\n').length : 1);
  return (
    <div className="min-w-0 sm:col-span-2">
      <Labelled
        label={name}
        mono
        hint={
          <>
            <Coded text={[about, saysHow[kind]].filter(Boolean).join(' ')} />
            {problem !== undefined && <span className="block text-error">{problem}</span>}
          </>
        }
      >
        <textarea
          value={text}
          rows={Math.min(most.rows, Math.max(most.least, rows))}
          placeholder={example}
          spellCheck={false}
          aria-invalid={problem !== undefined || undefined}
          className={cx(
            inputClass,
            'h-auto resize-y py-2 font-mono text-xs',
            problem !== undefined && 'border-error',
          )}
          onChange={(event) => type(event.target.value)}
        />
      </Labelled>
      {text === '' && example !== undefined && (
        <button
          type="button"
          className="mt-0.5 text-2xs font-medium text-accent hover:underline"
          onClick={() => type(example)}
        >
          Take this example
        </button>
      )}
      {parts.length > 0 && <Parts parts={parts} />}
    </div>
  );
}

function NumberOption({
  field: { name, about, preset, whole },
  value,
  onChange,
}: {
  field: OptionField;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  return (
    <Labelled label={name} mono hint={<Coded text={about} />}>
      <input
        type="number"
        step={whole === true ? 1 : 0.05}
        min={0}
        value={typeof value === 'number' ? value : ''}
        placeholder={typeof preset === 'number' ? String(preset) : 'none'}
        className={cx(inputClass, 'num')}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.valueAsNumber)}
      />
    </Labelled>
  );
}

function ChoiceOption({
  field: { name, about, choices = [] },
  value,
  none,
  onChange,
}: {
  field: OptionField;
  value: unknown;
  /** What is said where there is nothing to choose from. */
  none: string;
  onChange: (value: unknown) => void;
}) {
  const chosen = typeof value === 'string' ? value : '';
  const meaning = choices.find((one) => one.value === chosen)?.about;
  const gone = chosen !== '' && !choices.some((one) => one.value === chosen);
  return (
    <Labelled label={name} mono hint={<Coded text={choices.length > 0 ? about : none} />}>
      <select
        value={chosen}
        title={meaning}
        className={cx(inputClass, 'font-mono text-xs')}
        onChange={({ target }) => onChange(target.value === '' ? undefined : target.value)}
      >
        <option value="">none chosen</option>
        {gone && <option value={chosen}>{chosen} (there is none)</option>}
        {choices.map((one) => (
          <option key={one.value}>{one.value}</option>
        ))}
      </select>
    </Labelled>
  );
}

function YesOption({
  field: { name, about, preset },
  value,
  onChange,
}: {
  field: OptionField;
  value: unknown;
  onChange: (value: unknown) => void;
}) {
  const usual = preset === true;
  return (
    <label className="flex items-start gap-2 sm:col-span-2">
      <input
        type="checkbox"
        checked={typeof value === 'boolean' ? value : usual}
        className="mt-1 accent-accent"
        onChange={({ target }) => onChange(target.checked === usual ? undefined : target.checked)}
      />
      <span>
        <span className="font-mono text-xs font-medium">{name}</span>{' '}
        <span className="text-2xs text-faint">
          <Coded text={about} />
        </span>
      </span>
    </label>
  );
}

/** What a scanner must be told: a field for each of its options. */
export function OptionFields({
  scanner,
  options,
  unread,
  services,
  onChange,
}: {
  scanner: Guardrails['scanners'][number];
  options: Options | undefined;
  unread: Unread;
  services: string[];
  onChange: (options: Options, unread: Unread) => void;
}) {
  const without = (name: string): Unread =>
    Object.fromEntries(Object.entries(unread).filter(([other]) => other !== name));
  return (
    <fieldset className="grid min-w-0 gap-x-4 gap-y-3 rounded-md border border-line p-3 sm:col-span-2 sm:grid-cols-2">
      <legend className="px-1 text-xs font-medium">Options of {scanner.name}</legend>
      <p className="text-xs text-muted sm:col-span-2">
        <Coded text={aboutOptions(scanner.options)} />
      </p>
      {fieldsOf(scanner, options, services).map((field) => {
        const { name, kind } = field;
        const value = options?.[name];
        const set = (changed: unknown): void => onChange(withOption(options, name, changed), without(name));
        if (kind === 'yes') return <YesOption key={name} field={field} value={value} onChange={set} />;
        if (kind === 'number') return <NumberOption key={name} field={field} value={value} onChange={set} />;
        if (kind === 'choice') {
          const none = hintOfServices(services);
          return <ChoiceOption key={name} field={field} value={value} none={none} onChange={set} />;
        }
        return (
          <TypedOption
            key={name}
            field={field}
            value={value}
            unread={unread[name]}
            onChange={set}
            onUnread={(text) => onChange(options ?? {}, { ...unread, [name]: text })}
          />
        );
      })}
    </fieldset>
  );
}
