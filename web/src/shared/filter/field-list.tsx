import { useState } from 'react';

import { inputClass } from '@/shared/ui/field';

import { fieldLabel, type FilterField } from './fields';

interface Props {
  fields: FilterField[];
  loading: boolean;
  onPick: (field: FilterField) => void;
}

/** Choose what to filter by. Type, arrows and enter work too. */
export function FieldList({ fields, loading, onPick }: Props) {
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const wanted = text.trim().toLowerCase();
  const known = fields.filter((field) =>
    `${field.name} ${fieldLabel(field.name)}`.toLowerCase().includes(wanted),
  );
  const attribute =
    /^attributes\..+/.test(wanted) && !known.some((field) => field.name === text.trim())
      ? [{ name: text.trim(), type: 'text', doc: 'An attribute of the span.' }]
      : [];
  const shown: FilterField[] = [...known, ...attribute];
  const current = Math.min(at, shown.length - 1);
  return (
    <div className="w-72">
      <div className="border-b border-line p-2">
        <input
          autoFocus
          aria-label="Field to filter by"
          placeholder="Filter by… (or attributes.key)"
          className={inputClass}
          value={text}
          onChange={(event) => {
            setText(event.target.value);
            setAt(0);
          }}
          onKeyDown={(event) => {
            if (event.key === 'ArrowDown') setAt(Math.min(current + 1, shown.length - 1));
            else if (event.key === 'ArrowUp') setAt(Math.max(current - 1, 0));
            else if (event.key === 'Enter' && shown[current]) onPick(shown[current]);
            else return;
            event.preventDefault();
          }}
        />
      </div>
      <ul className="max-h-72 overflow-y-auto p-1">
        {shown.map((field, i) => (
          <li key={field.name}>
            <button
              type="button"
              title={field.doc}
              ref={i === current ? (element) => element?.scrollIntoView({ block: 'nearest' }) : undefined}
              onMouseEnter={() => setAt(i)}
              onClick={() => onPick(field)}
              className={`flex w-full items-baseline gap-2 rounded-md px-2 py-1.5 text-left text-sm ${i === current ? 'bg-hover' : ''}`}
            >
              <span className="truncate">{fieldLabel(field.name)}</span>
              <span className="ml-auto truncate font-mono text-2xs text-faint">{field.name}</span>
            </button>
          </li>
        ))}
        {shown.length === 0 && (
          <li className="px-2 py-3 text-sm text-muted">{loading ? 'Loading…' : 'No such field.'}</li>
        )}
      </ul>
    </div>
  );
}
