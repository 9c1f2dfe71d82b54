import { useQuery } from '@tanstack/react-query';
import { ChevronLeft } from 'lucide-react';
import { useState } from 'react';

import type { Operator } from '@/api/types';
import { answerQuery, fieldsQuery } from '@/shared/data/query';
import { formatCount } from '@/shared/format/numbers';
import type { Range } from '@/shared/time/range';
import { Button, IconButton } from '@/shared/ui/button';
import { inputClass } from '@/shared/ui/field';
import { type Chip, operatorLabel, type Scalar } from '@/shared/url/filters';

import { fieldLabel, type FilterField, isAttribute, isNumeric, operatorsOf, parseNumber } from './fields';

interface Props {
  field: FilterField;
  range: Range;
  start?: Chip;
  onBack?: () => void;
  onDone: (chip: Chip) => void;
}

/** What was typed is no value of the field. */
const wrongValue = Symbol('wrong');

function readValue(field: FilterField, op: Operator, text: string): Chip['value'] | typeof wrongValue {
  if (op === 'exists') return undefined;
  if (isNumeric(field.type)) return parseNumber(text, field.unit) ?? wrongValue;
  if (field.type === 'bool') return text === 'true';
  const items = text.split(',').map((item) => item.trim());
  if (op === 'in' || op === 'not_in') return items.filter(Boolean);
  return text === '' ? wrongValue : text;
}

/** How often each value occurs in the range: what one may want to choose. */
const topValues = (field: FilterField, range: Range) => ({
  ...answerQuery({
    table: 'spans',
    time: range,
    measures: [{ fn: 'count', as: 'n' }],
    group_by: [field.name],
    filter: { field: field.name, op: 'exists' },
    order: [{ by: 'n', desc: true }],
    limit: 12,
  }),
  enabled: (field.type === 'text' || field.type === 'bool') && !isAttribute(field.name),
  staleTime: 30_000,
});

/** Of attributes, the values that were counted while spans were written: no bodies are read for a list. */
function useTopValues(field: FilterField, range: Range): [Scalar, number][] {
  const inRange = useQuery(topValues(field, range));
  const counted = useQuery({ ...fieldsQuery(field.name), enabled: isAttribute(field.name) });
  if (isAttribute(field.name)) {
    const values = counted.data?.fields.flatMap((one) => one.values) ?? [];
    return values.slice(0, 12).map(({ value, count }) => [value, count]);
  }
  return (inRange.data?.rows ?? []).map(([one, count]) => [one as Scalar, Number(count)]);
}

export function ValueForm({ field, range, start, onBack, onDone }: Props) {
  const operators = operatorsOf(field.type);
  const [op, setOp] = useState<Operator>(start?.op ?? operators[0] ?? '=');
  const [text, setText] = useState(start?.value === undefined ? '' : [start.value].flat().join(', '));
  const [tried, setTried] = useState(false);
  const top = useTopValues(field, range);
  const value = readValue(field, op, text);
  const wrong =
    value === wrongValue && text === ''
      ? tried
      : value === wrongValue || (Array.isArray(value) && value.length === 0 && tried);
  const list = op === 'in' || op === 'not_in';
  const submit = (): void => {
    setTried(true);
    if (value === wrongValue || (Array.isArray(value) && value.length === 0)) return;
    onDone({ field: field.name, op, value });
  };
  const pick = (one: Scalar): void => {
    if (!list) onDone({ field: field.name, op: op === 'exists' ? '=' : op, value: one });
    else setText(text === '' ? String(one) : `${text}, ${one}`);
  };
  return (
    <form
      className="w-80"
      onSubmit={(event) => {
        event.preventDefault();
        submit();
      }}
    >
      <div className="flex items-center gap-1 px-2 pt-2">
        {onBack && (
          <IconButton label="Another field" onClick={onBack}>
            <ChevronLeft size={14} />
          </IconButton>
        )}
        <span className="px-1 text-sm font-medium">{fieldLabel(field.name)}</span>
        <span className="truncate text-xs text-faint">{field.doc.replaceAll('`', '')}</span>
      </div>
      <div className="flex gap-1.5 p-2">
        <div className="w-28 shrink-0">
          <select
            aria-label="Operator"
            className={inputClass}
            value={op}
            onChange={(event) => setOp(event.target.value as Operator)}
          >
            {operators.map((one) => (
              <option key={one} value={one}>
                {operatorLabel(one)}
              </option>
            ))}
          </select>
        </div>
        {field.type === 'bool' ? (
          <select
            aria-label="Value"
            className={inputClass}
            value={text || 'true'}
            onChange={(event) => setText(event.target.value)}
          >
            <option value="true">true</option>
            <option value="false">false</option>
          </select>
        ) : (
          <input
            autoFocus
            aria-label="Value"
            aria-invalid={wrong}
            disabled={op === 'exists'}
            className={inputClass}
            placeholder={field.unit === 'ms' ? 'e.g. 2s or 350' : list ? 'a, b, c' : (field.unit ?? 'value')}
            value={text}
            onChange={(event) => setText(event.target.value)}
          />
        )}
        <Button type="submit" look="primary" className="shrink-0">
          Apply
        </Button>
      </div>
      {wrong && (
        <p role="alert" className="px-3 pb-2 text-xs text-error">
          {isNumeric(field.type)
            ? `Expected a number${field.unit === 'ms' ? ', e.g. 350ms or 2s' : ''}.`
            : 'Expected a value.'}
        </p>
      )}
      {top.length > 0 && (
        <ul className="max-h-60 overflow-y-auto border-t border-line p-1">
          {top.map(([one, count]) => (
            <li key={String(one)}>
              <button
                type="button"
                className="flex w-full items-baseline gap-3 rounded-md px-2 py-1 text-left text-sm hover:bg-hover"
                onClick={() => pick(one)}
              >
                <span className="truncate">{String(one)}</span>
                <span className="num ml-auto text-xs text-faint">{formatCount(count)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
    </form>
  );
}
