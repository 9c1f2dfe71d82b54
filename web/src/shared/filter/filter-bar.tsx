import { useQuery } from '@tanstack/react-query';
import { ListFilter, X } from 'lucide-react';
import { useState } from 'react';

import { fieldsQuery, tablesQuery } from '@/shared/data/query';
import { formatCost, formatDuration } from '@/shared/format/numbers';
import type { Range } from '@/shared/time/range';
import { Button } from '@/shared/ui/button';
import { Popover } from '@/shared/ui/popover';
import { type Chip, operatorLabel } from '@/shared/url/filters';

import { fieldLabel, type FilterField, filterFields } from './fields';
import { FieldList } from './field-list';
import { ValueForm } from './value-form';

function showValue(chip: Chip): string {
  const show = (value: unknown): string => {
    if (typeof value === 'number' && chip.field.endsWith('_ms')) return formatDuration(value);
    if (typeof value === 'number' && chip.field.startsWith('cost')) return formatCost(value);
    return String(value);
  };
  if (chip.value === undefined) return '';
  return Array.isArray(chip.value) ? chip.value.map(show).join(', ') : show(chip.value);
}

const anyField = (name: string): FilterField => ({ name, type: 'text', doc: 'An attribute of the span.' });

function ChipView({
  chip,
  field,
  range,
  onChange,
}: {
  chip: Chip;
  field: FilterField;
  range: Range;
  onChange: (chip?: Chip) => void;
}) {
  const [open, setOpen] = useState(false);
  const text = `${fieldLabel(chip.field)} ${operatorLabel(chip.op)} ${showValue(chip)}`;
  return (
    <span className="inline-flex h-7 max-w-80 items-center rounded-md border border-line-strong bg-surface text-xs">
      <Popover
        label={`Change the filter ${text}`}
        open={open}
        onOpenChange={setOpen}
        trigger={
          <button
            type="button"
            className="flex h-full min-w-0 items-center gap-1 rounded-l-md pr-1 pl-2 hover:bg-hover"
            title={text}
          >
            <span className="text-muted">{fieldLabel(chip.field)}</span>
            <span className="text-faint">{operatorLabel(chip.op)}</span>
            <span className="truncate font-medium">{showValue(chip)}</span>
          </button>
        }
      >
        <ValueForm
          field={field}
          range={range}
          start={chip}
          onDone={(next) => {
            setOpen(false);
            onChange(next);
          }}
        />
      </Popover>
      <button
        type="button"
        aria-label={`Remove the filter ${text}`}
        className="flex h-full items-center rounded-r-md px-1.5 text-faint hover:bg-hover hover:text-ink"
        onClick={() => onChange(undefined)}
      >
        <X size={12} />
      </button>
    </span>
  );
}

/** The filters as chips, and a menu that adds one. */
export function FilterBar({
  chips,
  range,
  onChange,
}: {
  chips: Chip[];
  range: Range;
  onChange: (chips: Chip[]) => void;
}) {
  const [open, setOpen] = useState(false);
  const [field, setField] = useState<FilterField>();
  const tables = useQuery(tablesQuery);
  const known = useQuery(fieldsQuery());
  const fields = filterFields(tables.data?.tables, known.data?.fields);
  const close = (): void => {
    setOpen(false);
    setField(undefined);
  };
  return (
    <div className="flex flex-wrap items-center gap-1.5">
      {chips.map((chip, i) => (
        <ChipView
          key={`${chip.field}:${chip.op}:${i}`}
          chip={chip}
          range={range}
          field={fields.find((one) => one.name === chip.field) ?? anyField(chip.field)}
          onChange={(next) => onChange(chips.flatMap((one, at) => (at === i ? (next ?? []) : one)))}
        />
      ))}
      <Popover
        label="Add a filter"
        open={open}
        onOpenChange={(next) => (next ? setOpen(true) : close())}
        trigger={
          <Button size="sm" look={chips.length > 0 ? 'ghost' : 'plain'}>
            <ListFilter size={13} aria-hidden /> Filter
          </Button>
        }
      >
        {field ? (
          <ValueForm
            field={field}
            range={range}
            onBack={() => setField(undefined)}
            onDone={(chip) => {
              close();
              onChange([...chips, chip]);
            }}
          />
        ) : (
          <FieldList fields={fields} loading={tables.isPending} onPick={setField} />
        )}
      </Popover>
      {chips.length > 1 && (
        <Button size="sm" look="ghost" onClick={() => onChange([])}>
          Clear
        </Button>
      )}
    </div>
  );
}
