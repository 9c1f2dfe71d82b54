import type { ReactNode } from 'react';

import { cx } from './cx';

export const tones = {
  neutral: 'bg-sunken text-muted border-line',
  ok: 'bg-accent-soft text-ok border-transparent',
  error: 'bg-error-soft text-error border-transparent',
  warn: 'bg-warn-soft text-warn border-transparent',
  info: 'bg-info-soft text-info border-transparent',
};
export type Tone = keyof typeof tones;

export function Badge({
  tone = 'neutral',
  title,
  className,
  children,
}: {
  tone?: Tone;
  title?: string;
  className?: string;
  children: ReactNode;
}) {
  return (
    <span
      title={title}
      className={cx(
        'inline-flex h-5 max-w-full items-center gap-1 rounded-sm border px-1.5 text-2xs font-medium whitespace-nowrap',
        tones[tone],
        className,
      )}
    >
      {children}
    </span>
  );
}
