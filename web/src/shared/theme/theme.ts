import { useSyncExternalStore } from 'react';

export type Theme = 'system' | 'dark' | 'light';

const key = 'signalbox.theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');
const listeners = new Set<() => void>();

function stored(): Theme {
  const value = readLocal(key);
  return value === 'dark' || value === 'light' ? value : 'system';
}

let choice: Theme = stored();

const isDark = (): boolean => choice === 'dark' || (choice === 'system' && system.matches);

function apply(): void {
  document.documentElement.dataset.theme = isDark() ? 'dark' : 'light';
  for (const listener of listeners) listener();
}
system.addEventListener('change', apply);

export function setTheme(theme: Theme): void {
  choice = theme;
  writeLocal(key, theme);
  apply();
}

const subscribe = (listener: () => void): (() => void) => {
  listeners.add(listener);
  return () => listeners.delete(listener);
};

export const useTheme = (): Theme => useSyncExternalStore(subscribe, () => choice);
export const useDark = (): boolean => useSyncExternalStore(subscribe, isDark);

/** Storage may be switched off by the browser; then choices last as long as the page. */
export function readLocal(name: string): string | null {
  try {
    return localStorage.getItem(name);
  } catch {
    return null;
  }
}

export function writeLocal(name: string, value: string): void {
  try {
    localStorage.setItem(name, value);
  } catch {
    // See above.
  }
}
