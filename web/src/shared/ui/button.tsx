import type { ComponentProps } from 'react';

import { cx } from './cx';

const looks = {
  primary: 'bg-accent text-on-accent hover:bg-accent-strong font-semibold',
  plain: 'border border-line-strong bg-surface text-ink hover:bg-hover',
  ghost: 'text-muted hover:bg-hover hover:text-ink',
  danger: 'bg-error text-white dark:text-[#2a0508] hover:opacity-90 font-semibold',
};

const sizes = {
  sm: 'h-7 gap-1.5 px-2 text-xs',
  md: 'h-8 gap-1.5 px-3 text-sm',
  lg: 'h-10 gap-2 px-4 text-base',
};

interface Props extends ComponentProps<'button'> {
  look?: keyof typeof looks;
  size?: keyof typeof sizes;
}

export function buttonClass(look: keyof typeof looks = 'plain', size: keyof typeof sizes = 'md'): string {
  return cx(
    'inline-flex shrink-0 items-center justify-center rounded-md font-medium whitespace-nowrap transition-colors',
    'disabled:pointer-events-none disabled:opacity-50',
    sizes[size],
    looks[look],
  );
}

export function Button({ look = 'plain', size = 'md', className, ...rest }: Props) {
  return <button type="button" className={cx(buttonClass(look, size), className)} {...rest} />;
}

interface IconProps extends ComponentProps<'button'> {
  label: string;
  active?: boolean;
}

/** A button of an icon only: its label is its name and its tooltip. */
export function IconButton({ label, active, className, ...rest }: IconProps) {
  return (
    <button
      type="button"
      aria-label={label}
      title={label}
      aria-pressed={active}
      className={cx(
        'inline-flex size-7 shrink-0 items-center justify-center rounded-md transition-colors',
        active ? 'bg-accent-soft text-accent' : 'text-faint hover:bg-hover hover:text-ink',
        'disabled:pointer-events-none disabled:opacity-40',
        className,
      )}
      {...rest}
    />
  );
}
