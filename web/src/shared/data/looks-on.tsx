import { useQuery } from '@tanstack/react-query';
import { Eye } from 'lucide-react';

import { looksOn } from './leader';
import { statusQuery } from './query';

/** Says so where this node doesn't evaluate monitors, but another one does. */
export function LooksOn() {
  const status = useQuery(statusQuery);
  const text = looksOn(status.data?.watch);
  if (text === undefined) return null;
  return (
    <p
      role="status"
      className="flex items-start gap-2 border-b border-line bg-warn-soft px-5 py-2 text-sm text-warn"
    >
      <Eye size={14} className="mt-0.5 shrink-0" aria-hidden /> {text}
    </p>
  );
}
