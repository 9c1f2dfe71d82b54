import { Link } from '@tanstack/react-router';
import { Database } from 'lucide-react';

import type { Run } from '@/api/types';

import { askedOf } from '../asked';

/** The dataset whose items a run asked, with the way to that version of it. */
export function AskedItems({ run }: { run: Run }) {
  const asked = askedOf(run);
  if (!asked) return null;
  if (asked.name === undefined) return <span title={run.dataset}>{asked.label}</span>;
  return (
    <Link
      to="/datasets/$name"
      params={{ name: asked.name }}
      search={{ version: asked.version }}
      className="inline-flex items-center gap-1 hover:text-accent hover:underline"
      title={`The items of ${run.dataset ?? asked.name}, version ${asked.version ?? ''}`}
    >
      <Database size={11} aria-hidden /> {asked.label}
    </Link>
  );
}
