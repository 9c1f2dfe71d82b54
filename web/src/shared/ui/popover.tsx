import { Popover as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

import { cx } from './cx';

export const surface = 'z-50 animate-rise rounded-lg border border-line bg-raised shadow-pop outline-none';

export function Popover({
  open,
  onOpenChange,
  trigger,
  align = 'start',
  className,
  label,
  children,
}: {
  open?: boolean;
  onOpenChange?: (open: boolean) => void;
  trigger: ReactNode;
  align?: 'start' | 'center' | 'end';
  className?: string;
  label: string;
  children: ReactNode;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={12}
          aria-label={label}
          className={cx(surface, className)}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
