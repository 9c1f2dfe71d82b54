import { type ComponentProps, type ReactNode, useId } from 'react';

import { cx } from './cx';
import { inputClass } from './field';

interface Props extends ComponentProps<'textarea'> {
  label: string;
  error?: string;
  hint?: ReactNode;
}

/** A text of several lines, which grows with what is typed. */
export function TextArea({ label, error, hint, className, ...rest }: Props) {
  const id = useId();
  return (
    <div>
      <label htmlFor={id} className="mb-1 block text-sm font-medium">
        {label}
      </label>
      <textarea
        id={id}
        className={cx(
          inputClass,
          'field-sizing-content max-h-[40vh] min-h-16 resize-y py-2 leading-relaxed',
          error && 'border-error',
          className,
        )}
        aria-invalid={error ? true : undefined}
        aria-describedby={error || hint ? `${id}-note` : undefined}
        {...rest}
      />
      {(error ?? hint) && (
        <p
          id={`${id}-note`}
          className={cx('mt-1 text-xs', error ? 'text-error' : 'text-muted')}
          role={error ? 'alert' : undefined}
        >
          {error ?? hint}
        </p>
      )}
    </div>
  );
}
