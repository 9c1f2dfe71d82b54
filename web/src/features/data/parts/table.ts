export const head = 'border-y border-line text-xs text-faint';
export const cell = 'px-3 py-2 text-left whitespace-nowrap first:pl-4 last:pr-4';
