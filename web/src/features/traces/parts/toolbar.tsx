import { Columns3, RotateCcw, Search, X } from 'lucide-react';
import { type RefObject, useEffect, useRef, useState } from 'react';

import type { LiveState } from '@/shared/data/live';
import { Button, IconButton } from '@/shared/ui/button';
import { cx } from '@/shared/ui/cx';
import { inputClass } from '@/shared/ui/field';
import { Kbd } from '@/shared/ui/kbd';
import { Menu, MenuCheck, MenuItem, MenuLabel, MenuLine } from '@/shared/ui/menu';

import { columnTitles } from './columns';
import { type Layout, startLayout } from './layout';

/** Free text. What is typed is searched after a moment, or at once with enter. */
export function SearchBox({
  value,
  onChange,
  input,
}: {
  value: string;
  onChange: (text: string) => void;
  input: RefObject<HTMLInputElement | null>;
}) {
  const [text, setText] = useState(value);
  const [shownFor, setShownFor] = useState(value);
  if (shownFor !== value) {
    setShownFor(value);
    setText(value);
  }
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  useEffect(() => () => clearTimeout(timer.current), []);
  const search = (next: string, wait: number): void => {
    clearTimeout(timer.current);
    timer.current = setTimeout(() => onChange(next.trim()), wait);
  };
  return (
    <div className="relative w-full max-w-md min-w-48 flex-1">
      <Search size={14} className="pointer-events-none absolute top-[9px] left-2.5 text-faint" aria-hidden />
      <input
        ref={input}
        aria-label="Search traces"
        placeholder='Search: words, "a phrase", pre*, -without'
        title="Looks in names, inputs, outputs and errors. this OR that finds either."
        className={cx(inputClass, 'pr-8 pl-8')}
        value={text}
        spellCheck={false}
        onChange={(event) => {
          setText(event.target.value);
          search(event.target.value, 350);
        }}
        onKeyDown={(event) => event.key === 'Enter' && search(text, 0)}
      />
      <span className="absolute top-[6px] right-2">
        {text === '' ? (
          <Kbd>/</Kbd>
        ) : (
          <IconButton
            label="Clear the search"
            className="-mr-1 size-5"
            onClick={() => {
              setText('');
              search('', 0);
            }}
          >
            <X size={13} />
          </IconButton>
        )}
      </span>
    </div>
  );
}

const liveLooks: Record<LiveState, { dot: string; title: string }> = {
  off: { dot: 'bg-faint', title: 'New traces do not appear by themselves' },
  connecting: { dot: 'bg-warn animate-pulse', title: 'Connecting to the live stream…' },
  on: {
    dot: 'bg-accent shadow-[0_0_0_3px_color-mix(in_oklab,var(--accent)_25%,transparent)]',
    title: 'New traces appear by themselves',
  },
};

export function LiveToggle({
  state,
  possible,
  onToggle,
}: {
  state: LiveState;
  possible: boolean;
  onToggle: () => void;
}) {
  const look = liveLooks[state];
  return (
    <Button
      role="switch"
      aria-checked={state !== 'off'}
      disabled={!possible}
      onClick={onToggle}
      title={possible ? look.title : 'The time range ends in the past: nothing new belongs to it'}
      className={cx(state !== 'off' && 'border-accent/50')}
    >
      <span className={cx('size-1.5 rounded-full transition-colors', look.dot)} aria-hidden /> Live
    </Button>
  );
}

export function ColumnPicker({
  layout,
  onLayout,
}: {
  layout: Layout;
  onLayout: (change: (layout: Layout) => Layout) => void;
}) {
  return (
    <Menu
      trigger={
        <IconButton label="Columns">
          <Columns3 size={15} />
        </IconButton>
      }
    >
      <MenuLabel>Columns</MenuLabel>
      {columnTitles.map(({ id, title }) => (
        <MenuCheck
          key={id}
          checked={layout.visibility[id] !== false}
          onChange={(checked) =>
            onLayout((before) => ({ ...before, visibility: { ...before.visibility, [id]: checked } }))
          }
        >
          {title}
        </MenuCheck>
      ))}
      <MenuLine />
      <MenuItem icon={<RotateCcw size={14} />} onSelect={() => onLayout(() => startLayout)}>
        As at first
      </MenuItem>
    </Menu>
  );
}
