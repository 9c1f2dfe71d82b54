import { type ReactNode, useRef, useState } from 'react';

import { readLocal, writeLocal } from '@/shared/theme/theme';

const [least, most] = [25, 75];
const clamp = (share: number): number => Math.min(most, Math.max(least, share));

/** Two panes with a bar between that can be dragged, or moved by the arrow keys. */
export function Split({
  name,
  start,
  left,
  right,
}: {
  name: string;
  start: number;
  left: ReactNode;
  right: ReactNode;
}) {
  const key = `signalbox.split.${name}`;
  const [share, setShare] = useState(() => clamp(Number(readLocal(key)) || start));
  const host = useRef<HTMLDivElement>(null);
  const set = (next: number): void => {
    setShare(clamp(next));
    writeLocal(key, String(clamp(next)));
  };
  return (
    <div ref={host} className="flex min-h-0 min-w-0 flex-1">
      <div className="flex min-w-0 flex-col" style={{ width: `${share}%` }}>
        {left}
      </div>
      <div
        role="separator"
        aria-orientation="vertical"
        aria-label="Width of the panes"
        aria-valuenow={Math.round(share)}
        aria-valuemin={least}
        aria-valuemax={most}
        tabIndex={0}
        className="relative w-px shrink-0 cursor-col-resize touch-none bg-line transition-colors after:absolute after:inset-y-0 after:-inset-x-1 after:z-10 hover:bg-accent focus-visible:bg-accent"
        onKeyDown={(event) => {
          if (event.key === 'ArrowLeft') set(share - 2);
          else if (event.key === 'ArrowRight') set(share + 2);
        }}
        onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
        onPointerMove={(event) => {
          const box = host.current?.getBoundingClientRect();
          if (box && event.currentTarget.hasPointerCapture(event.pointerId))
            set(((event.clientX - box.left) / box.width) * 100);
        }}
      />
      <div className="flex min-w-0 flex-1 flex-col">{right}</div>
    </div>
  );
}
