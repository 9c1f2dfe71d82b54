import { X } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

import { IconButton } from './button';
import { cx } from './cx';

const sizes = {
  normal: 'top-[12vh] max-h-[76vh] max-w-md',
  wide: 'top-[12vh] max-h-[76vh] max-w-3xl',
  huge: 'top-[4vh] max-h-[92vh] max-w-6xl',
};

/** A modal window. `role="alertdialog"` for questions that need an answer. */
export function Dialog({
  open,
  onOpenChange,
  title,
  description,
  children,
  size = 'normal',
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  title: string;
  description?: ReactNode;
  children: ReactNode;
  size?: keyof typeof sizes;
}) {
  return (
    <Radix.Root open={open} onOpenChange={onOpenChange}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-scrim" />
        <Radix.Content
          {...(description ? {} : { 'aria-describedby': undefined })}
          // The window itself, not its first button: "Close" is seldom what somebody came for. A field with `autoFocus` has it already.
          onOpenAutoFocus={(event) => {
            event.preventDefault();
            if (event.currentTarget instanceof HTMLElement) event.currentTarget.focus();
          }}
          className={cx(
            'fixed inset-x-4 z-50 mx-auto flex animate-rise flex-col rounded-xl border border-line bg-raised shadow-pop outline-none',
            sizes[size],
          )}
        >
          <div className="flex items-start gap-4 px-5 pt-4 pb-3">
            <div className="min-w-0 flex-1">
              <Radix.Title className="text-lg font-semibold">{title}</Radix.Title>
              {description && (
                <Radix.Description className="mt-0.5 text-sm text-muted">{description}</Radix.Description>
              )}
            </div>
            <Radix.Close asChild>
              <IconButton label="Close" className="-mr-1.5">
                <X size={16} />
              </IconButton>
            </Radix.Close>
          </div>
          <div className="min-h-0 overflow-y-auto px-5 pb-5">{children}</div>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
