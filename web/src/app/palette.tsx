import { useNavigate } from '@tanstack/react-router';
import { Command } from 'cmdk';
import { ArrowRight, CircleHelp, FileText, Monitor, Moon, Search, Sun, TriangleAlert } from 'lucide-react';
import { Dialog as Radix } from 'radix-ui';
import { type ReactNode, useState } from 'react';

import { setTheme } from '@/shared/theme/theme';
import { Kbd } from '@/shared/ui/kbd';

import { pages } from './pages';

const group =
  '[&_[cmdk-group-heading]]:px-2 [&_[cmdk-group-heading]]:py-1.5 [&_[cmdk-group-heading]]:text-2xs [&_[cmdk-group-heading]]:font-medium [&_[cmdk-group-heading]]:text-faint';

function Item({
  icon,
  children,
  keys,
  onSelect,
  value,
}: {
  icon: ReactNode;
  children: ReactNode;
  keys?: string;
  onSelect: () => void;
  value?: string;
}) {
  return (
    <Command.Item
      value={value}
      onSelect={onSelect}
      className="flex h-9 cursor-pointer items-center gap-2.5 rounded-md px-2 text-sm select-none data-[selected=true]:bg-hover"
    >
      <span className="text-faint">{icon}</span>
      {children}
      {keys && (
        <span className="ml-auto flex gap-1">
          {keys.split(' ').map((key) => (
            <Kbd key={key}>{key}</Kbd>
          ))}
        </span>
      )}
    </Command.Item>
  );
}

/** Go anywhere, do anything, by typing. */
export default function Palette({ onClose, onHelp }: { onClose: () => void; onHelp: () => void }) {
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const run = (action: () => void) => (): void => {
    onClose();
    action();
  };
  const words = text.trim();
  const traceId = /^[0-9a-f]{32}$/i.test(words) ? words.toLowerCase() : undefined;
  return (
    <Radix.Root open onOpenChange={(open) => !open && onClose()}>
      <Radix.Portal>
        <Radix.Overlay className="fixed inset-0 z-40 animate-fade-in bg-scrim" />
        <Radix.Content
          aria-describedby={undefined}
          className="fixed inset-x-4 top-[14vh] z-50 mx-auto max-w-xl animate-rise overflow-hidden rounded-xl border border-line bg-raised shadow-pop outline-none"
        >
          <Radix.Title className="sr-only">Search and commands</Radix.Title>
          <Command label="Search and commands" loop>
            <div className="flex h-12 items-center gap-2.5 border-b border-line px-4">
              <Search size={16} className="text-faint" aria-hidden />
              <Command.Input
                autoFocus
                value={text}
                onValueChange={setText}
                placeholder="Go to a page, search traces, paste a trace id…"
                className="h-full flex-1 bg-transparent text-base outline-none"
              />
            </div>
            <Command.List className="max-h-[50vh] overflow-y-auto p-1.5">
              <Command.Empty className="px-3 py-6 text-center text-sm text-muted">
                Nothing of that name.
              </Command.Empty>
              {words !== '' && (
                <Command.Group heading="Traces" forceMount className={group}>
                  {traceId && (
                    <Item
                      value={`open ${words}`}
                      icon={<ArrowRight size={15} />}
                      onSelect={run(() => void navigate({ to: '/traces/$traceId', params: { traceId } }))}
                    >
                      Open the trace <span className="truncate font-mono text-xs text-muted">{traceId}</span>
                    </Item>
                  )}
                  <Item
                    value={`search ${words}`}
                    icon={<Search size={15} />}
                    onSelect={run(() => void navigate({ to: '/traces', search: { q: words } }))}
                  >
                    Search traces for <span className="truncate font-medium">“{words}”</span>
                  </Item>
                </Command.Group>
              )}
              <Command.Group heading="Go to" className={group}>
                {pages.map(({ to, title, icon: Icon, key, about }) => (
                  <Item
                    key={to}
                    value={`${title} ${about}`}
                    icon={<Icon size={15} />}
                    keys={`g ${key}`}
                    onSelect={run(() => void navigate({ to }))}
                  >
                    {title}
                    <span className="truncate text-xs text-faint">{about}</span>
                  </Item>
                ))}
                <Item
                  value="failed traces errors"
                  icon={<TriangleAlert size={15} />}
                  onSelect={run(() => void navigate({ to: '/traces', search: { f: ['status:is:error'] } }))}
                >
                  Failed traces
                </Item>
              </Command.Group>
              <Command.Group heading="Do" className={group}>
                <Item icon={<Sun size={15} />} onSelect={run(() => setTheme('light'))}>
                  Light theme
                </Item>
                <Item icon={<Moon size={15} />} onSelect={run(() => setTheme('dark'))}>
                  Dark theme
                </Item>
                <Item icon={<Monitor size={15} />} onSelect={run(() => setTheme('system'))}>
                  Theme of the system
                </Item>
                <Item
                  icon={<FileText size={15} />}
                  onSelect={run(() => window.open('/api/docs', '_blank', 'noopener'))}
                >
                  API reference
                </Item>
                <Item icon={<CircleHelp size={15} />} keys="?" onSelect={run(onHelp)}>
                  Keyboard shortcuts
                </Item>
              </Command.Group>
            </Command.List>
          </Command>
        </Radix.Content>
      </Radix.Portal>
    </Radix.Root>
  );
}
