import { type ComponentProps, useId } from 'react';

import { cx } from './cx';

export const inputClass =
  'h-8 w-full rounded-md border border-line-strong bg-surface px-2.5 text-sm text-ink transition-colors focus:border-accent focus:outline-none focus-visible:ring-2 focus-visible:ring-accent/30 disabled:opacity-50';

interface Props extends ComponentProps<'input'> {
  label: string;
  error?: string;
  hint?: string;
}

export function Field({ label, error, hint, className, ...rest }: Props) {
  const id = useId();
  return (
    <div className={className}>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <input
        id={id}
        className={cx(inputClass, 'h-9', error && 'border-error')}
        aria-invalid={error ? true : undefined}
        aria-describedby={`${id}-note`}
        {...rest}
      />
      <p
        id={`${id}-note`}
        className={cx('mt-1 min-h-[1.125rem] text-xs', error ? 'text-error' : 'text-muted')}
        role={error ? 'alert' : undefined}
      >
        {error ?? hint}
      </p>
    </div>
  );
}
