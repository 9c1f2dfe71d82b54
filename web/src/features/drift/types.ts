import type { Client } from 'openapi-fetch';

import { api } from '@/api/client';

/** The shapes of the API's answers about drift, as the OpenAPI document has them. */
export type Values = 'numbers' | 'rate' | 'categories' | 'topic' | 'embedding' | 'concept';

export interface Bar {
  label: string;
  current: number;
  reference: number;
}

export interface Example {
  trace_id: string;
  span_id: string;
  value: string;
}

export interface Found {
  effect: number;
  min_effect: number;
  p: number;
  p_adjusted: number;
  direction: 'up' | 'down' | 'other' | 'same';
  now?: number;
  before?: number;
  text: string;
  distribution: Bar[];
  current_examples: Example[];
  reference_examples: Example[];
}

export interface Cell {
  signal: string;
  segment?: string;
  values: Values;
  unit?: string;
  current_samples: number;
  reference_samples: number;
  drifted: boolean;
  found?: Found;
  problem?: string;
}

export interface Side {
  from?: string;
  to?: string;
  parts: number;
  rows: number;
  drawn: number;
}

export interface Group {
  name: string;
  current_samples: number;
  reference_samples: number;
  now?: number;
  before?: number;
  example?: Example;
}

export interface Concept {
  score: string;
  by: string;
  cell: Cell;
  groups: Group[];
}

export interface Result {
  at: string;
  current: Side;
  reference: Side;
  drifted: number;
  compared: number;
  cells: Cell[];
  concept?: Concept;
}

export interface Trend {
  signal: string;
  segment?: string;
  points: { at: string; effect: number; now?: number; drifted: boolean }[];
}

export type Definition = Record<string, unknown>;

export interface Check {
  name: string;
  source: 'config' | 'api';
  firing: boolean;
  next_at: string;
  problem?: string;
  definition: Definition;
  last?: Result;
  trends?: Trend[];
}

interface Answer<T> {
  responses: { 200: { headers: Record<string, unknown>; content: { 'application/json': T } } };
}

interface Named {
  parameters: { path: { name: string } };
}

interface Body<T> {
  requestBody: { content: { 'application/json': T } };
}

interface DriftPaths {
  '/api/v1/drift': { get: Answer<{ checks: Check[] }> };
  '/api/v1/drift/test': { post: Answer<Result> & Body<{ check: Definition }> };
  '/api/v1/drift/{name}': {
    get: Answer<Check> & Named;
    put: Answer<Check> & Named & Body<Definition>;
    delete: Answer<unknown> & Named;
  };
  '/api/v1/drift/{name}/run': { post: Answer<Check> & Named };
}

/** The one client, as far as drift goes. */
export const driftApi = api as unknown as Client<DriftPaths>;
