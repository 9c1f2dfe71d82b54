/** Scrolls the list around a row so far that the row is seen, and nothing else: the page stays where it is. */
export function keepInView(row: HTMLElement | null): void {
  const list = row?.closest('nav');
  if (!row || !list) return;
  const [inner, outer] = [row.getBoundingClientRect(), list.getBoundingClientRect()];
  if (inner.top < outer.top) list.scrollTop -= outer.top - inner.top;
  else if (inner.bottom > outer.bottom) list.scrollTop += inner.bottom - outer.bottom;
}
