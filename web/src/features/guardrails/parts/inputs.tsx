import { type ReactNode, useState } from 'react';

import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';

import { listOf } from '../draft';

export function Labelled({
  label,
  hint,
  wide,
  mono,
  children,
}: {
  label: string;
  hint?: ReactNode;
  wide?: boolean;
  /** The label is a name as it stands in the configuration. */
  mono?: boolean;
  children: ReactNode;
}) {
  return (
    <div className={cx('min-w-0', wide && 'sm:col-span-2')}>
      <label className="block">
        <span className={cx('mb-1 block text-xs font-medium', mono && 'font-mono')}>{label}</span>
        {children}
      </label>
      {/* Beside the label: a field is called by its name, not by all that is said of it. */}
      {hint !== undefined && <p className="mt-1 text-2xs text-faint">{hint}</p>}
    </div>
  );
}

export function Check({
  label,
  title,
  checked,
  disabled,
  onChange,
}: {
  label: string;
  title?: string;
  checked: boolean;
  disabled?: boolean;
  onChange: (checked: boolean) => void;
}) {
  return (
    <label className="flex items-center gap-1.5" title={title}>
      <input
        type="checkbox"
        checked={checked}
        disabled={disabled}
        className="accent-accent"
        onChange={({ target }) => onChange(target.checked)}
      />
      {label}
    </label>
  );
}

export function Typed({
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
export function Listed({
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

export function Fraction({
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
