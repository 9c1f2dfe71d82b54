import { Check } from 'lucide-react';
import { DropdownMenu as Radix } from 'radix-ui';
import type { ReactNode } from 'react';

import { cx } from './cx';
import { surface } from './popover';

const item =
  'flex min-h-8 items-center gap-2 rounded-md px-2 text-sm text-ink outline-none data-[highlighted]:bg-hover select-none';

export function Menu({
  trigger,
  align = 'end',
  children,
}: {
  trigger: ReactNode;
  align?: 'start' | 'end';
  children: ReactNode;
}) {
  return (
    <Radix.Root>
      <Radix.Trigger asChild>{trigger}</Radix.Trigger>
      <Radix.Portal>
        <Radix.Content
          align={align}
          sideOffset={6}
          collisionPadding={12}
          className={cx(surface, 'max-h-[70vh] min-w-48 overflow-y-auto p-1')}
        >
          {children}
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}

export function MenuItem({
  icon,
  onSelect,
  children,
}: {
  icon?: ReactNode;
  onSelect: () => void;
  children: ReactNode;
}) {
  return (
    <Radix.Item className={item} onSelect={onSelect}>
      {icon && <span className="text-faint">{icon}</span>}
      {children}
    </Radix.Item>
  );
}

export function MenuCheck({
  checked,
  onChange,
  children,
}: {
  checked: boolean;
  onChange: (checked: boolean) => void;
  children: ReactNode;
}) {
  return (
    <Radix.CheckboxItem
      className={item}
      checked={checked}
      onCheckedChange={onChange}
      // Several are ticked in one go.
      onSelect={(event) => event.preventDefault()}
    >
      <span className="flex size-4 items-center justify-center rounded-sm border border-line-strong">
        <Radix.ItemIndicator>
          <Check size={12} className="text-accent" />
        </Radix.ItemIndicator>
      </span>
      {children}
    </Radix.CheckboxItem>
  );
}

export function MenuLabel({ children }: { children: ReactNode }) {
  return <Radix.Label className="eyebrow px-2 py-1.5">{children}</Radix.Label>;
}

export const MenuLine = () => <Radix.Separator className="my-1 h-px bg-line" />;
