import { cx } from './cx';

/** The head of a table whose rows end in buttons; `cell` is what its cells look like. */
export function TableHead({
  titles,
  cell,
  className = 'border-b border-line text-xs text-faint',
}: {
  titles: readonly string[];
  cell: string;
  className?: string;
}) {
  return (
    <thead className={className}>
      <tr>
        {titles.map((title) => (
          <th key={title} scope="col" className={cx(cell, 'font-medium')}>
            {title}
          </th>
        ))}
        <th className="sr-only">Actions</th>
      </tr>
    </thead>
  );
}
