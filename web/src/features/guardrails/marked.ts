import type { Finding } from '@/api/types';
import { cutAt } from '@/shared/format/pieces';

/** A stretch of a text, and what was found there: the strongest action first. */
export interface Piece {
  text: string;
  findings: Finding[];
}

const strength: Record<Finding['action'], number> = {
  flag: 0,
  tokenise: 1,
  redact: 2,
  rewrite: 3,
  block: 4,
};

/** Cuts a text where findings begin and end. */
export const piecesOf = (text: string, findings: Finding[]): Piece[] =>
  cutAt(text, findings).map(({ text, over }) => ({
    text,
    findings: over.sort((a, b) => strength[b.action] - strength[a.action] || b.confidence - a.confidence),
  }));
