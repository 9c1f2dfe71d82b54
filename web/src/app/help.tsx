import { useActiveShortcuts } from '@/shared/keys/use-shortcuts';
import { Dialog } from '@/shared/ui/dialog';
import { Kbd } from '@/shared/ui/kbd';

const symbols: Record<string, string> = {
  mod: /Mac|iP(hone|ad)/.test(navigator.userAgent) ? '⌘' : 'Ctrl',
  escape: 'Esc',
  enter: '↵',
};

function Keys({ keys }: { keys: string }) {
  return (
    <span className="flex items-center gap-1">
      {keys.split(' ').map((part, i) => (
        <span key={i} className="flex items-center gap-0.5">
          {i > 0 && <span className="px-0.5 text-2xs text-faint">then</span>}
          {part.split('+').map((key) => (
            <Kbd key={key}>{symbols[key] ?? key}</Kbd>
          ))}
        </span>
      ))}
    </span>
  );
}

/** Every shortcut that works on this page. */
export default function Help({ onClose }: { onClose: () => void }) {
  const shortcuts = useActiveShortcuts().flat();
  const groups = [...new Set(shortcuts.map((shortcut) => shortcut.group))];
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title="Keyboard shortcuts" size="wide">
      <div className="grid gap-x-10 gap-y-5 sm:grid-cols-2">
        {groups.map((group) => (
          <section key={group}>
            <h3 className="eyebrow mb-1">{group}</h3>
            <ul>
              {shortcuts
                .filter((shortcut) => shortcut.group === group)
                .map(({ keys, label }) => (
                  <li
                    key={keys}
                    className="flex items-center justify-between gap-4 border-b border-line py-1.5 text-sm last:border-0"
                  >
                    {label}
                    <Keys keys={keys} />
                  </li>
                ))}
            </ul>
          </section>
        ))}
      </div>
    </Dialog>
  );
}
