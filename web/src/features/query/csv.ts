import type { Answer } from '@/api/types';
import { asText } from '@/shared/format/text';

function cell(value: unknown): string {
  const text = asText(value);
  // A spreadsheet would run a text that begins like a formula.
  const safe = typeof value === 'string' && /^[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

/** RFC 4180. */
export const toCsv = ({ columns, rows }: Answer): string =>
  [columns.map((column) => column.name), ...rows].map((row) => row.map(cell).join(',')).join('\r\n');
