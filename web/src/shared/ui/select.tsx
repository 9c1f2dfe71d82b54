import type { ComponentProps } from 'react';

import { cx } from './cx';
import { inputClass } from './field';

interface Props extends Omit<ComponentProps<'select'>, 'onChange'> {
  label: string;
  onChange: (value: string) => void;
  options: readonly (readonly [value: string, label: string])[];
}

/** One of several, in little room. The label is for who can't see what it is about. */
export function Select({ label, onChange, options, className, ...rest }: Props) {
  return (
    <select
      aria-label={label}
      className={cx(inputClass, 'w-auto max-w-56 cursor-pointer truncate pr-7', className)}
      onChange={(event) => onChange(event.target.value)}
      {...rest}
    >
      {options.map(([value, text]) => (
        <option key={value} value={value}>
          {text}
        </option>
      ))}
    </select>
  );
}
