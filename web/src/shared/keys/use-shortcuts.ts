import { useEffect, useRef, useSyncExternalStore } from 'react';

import { endsWith, type KeyLike, readStrokes } from './match';

export interface Shortcut {
  keys: string;
  label: string;
  group: string;
  run: () => void;
}

const sequenceMs = 1_200;
let active: readonly Shortcut[][] = [];
const listeners = new Set<() => void>();

function change(next: readonly Shortcut[][]): void {
  active = next;
  for (const listener of listeners) listener();
}

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName));

const isInPopup = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('[role=dialog],[role=alertdialog],[role=menu],[role=listbox]') !== null;

let history: (KeyLike & { at: number })[] = [];

function onKeyDown(event: KeyboardEvent): void {
  if (event.defaultPrevented || event.isComposing) return;
  const { key, metaKey, ctrlKey, altKey } = event;
  const mod = metaKey || ctrlKey;
  if (isTyping(event.target) && !mod) {
    if (key === 'Escape' && event.target instanceof HTMLElement && !isInPopup(event.target))
      event.target.blur();
    return;
  }
  if (isInPopup(event.target) && !mod) return;
  const at = performance.now();
  history = [
    ...history.filter((one) => at - one.at < sequenceMs),
    { key, metaKey, ctrlKey, altKey, at },
  ].slice(-3);
  const all = active.flat();
  const hit = all.findLast((shortcut) => endsWith(history, readStrokes(shortcut.keys)));
  if (!hit) return;
  // The `o` of `g o` is not also the key `o`: the longest wins.
  const longest = all.filter((one) => endsWith(history, readStrokes(one.keys)));
  const best = longest.reduce(
    (a, b) => (readStrokes(b.keys).length > readStrokes(a.keys).length ? b : a),
    hit,
  );
  event.preventDefault();
  history = [];
  best.run();
}

/** Keys that work while the component is there. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const latest = useRef(shortcuts);
  useEffect(() => {
    latest.current = shortcuts;
  });
  const names = shortcuts.map(({ keys, label, group }) => [keys, label, group].join('\t')).join('\n');
  useEffect(() => {
    const mine = names.split('\n').map((line, i): Shortcut => {
      const [keys = '', label = '', group = ''] = line.split('\t');
      return { keys, label, group, run: () => latest.current[i]?.run() };
    });
    if (active.length === 0) window.addEventListener('keydown', onKeyDown);
    change([...active, mine]);
    return () => {
      change(active.filter((one) => one !== mine));
      if (active.length === 0) window.removeEventListener('keydown', onKeyDown);
    };
  }, [names]);
}

/** Every shortcut that works now, for the help. */
export const useActiveShortcuts = (): readonly Shortcut[][] =>
  useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    () => active,
  );
