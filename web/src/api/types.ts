/** The words of the API that pages use. Everything here comes from the generated `schema.ts`. */
import type { components } from './schema';

type Schemas = components['schemas'];

export type Answer = Schemas['Answer'];
export type Backtest = Schemas['Backtest'];
export type ChangePolicies = Schemas['ChangePolicies'];
export type Erased = Schemas['Erased'];
export type Erasure = Schemas['Erasure'];
export type FieldValues = Schemas['FieldValues'];
export type Filter = Schemas['Filter'];
export type Finding = Schemas['Finding'];
export type GuardAsk = Schemas['GuardAsk'];
export type Guardrails = Schemas['Guardrails'];
export type Incident = Schemas['Incident'];
export type JudgedText = Schemas['JudgedText'];
export type Measure = Schemas['Measure'];
export type Message = Schemas['Message'];
export type Monitor = Schemas['MonitorShown'];
export type Operator = Schemas['Operator'];
export type Part = Schemas['Part'];
export type Policy = Schemas['PolicyConfig'];
export type PolicyException = Schemas['ExceptionConfig'];
export type PolicyVersion = Schemas['PolicyVersion'];
export type Provider = Schemas['Provider'];
export type Query = Schemas['Query'];
export type RouteStatus = Schemas['RouteStatus'];
export type RunningQuery = Schemas['RunningQuery'];
export type SayFeedback = Schemas['SayFeedback'];
export type Session = Schemas['Session'];
export type SpanDetail = Schemas['SpanDetail'];
export type SpanSummary = Schemas['SpanSummary'];
export type StatusAnswer = Schemas['StatusAnswer'];
export type StoredCredential = Schemas['StoredCredential'];
export type TableInfo = Schemas['Table'];
export type TargetStatus = Schemas['TargetStatus'];
export type ToolDefinition = Schemas['ToolDefinition'];
export type Trace = Schemas['TraceDetail'];
export type TraceScore = Schemas['TraceScore'];
export type TraceSummary = Schemas['TraceSummary'];
export type VirtualKey = Schemas['VirtualKey'];

/** The parts of a message that have a rendering of their own; there may be others. */
export type KnownPart = Extract<Part, { type: string }>;
export type ToolCallPart = Extract<KnownPart, { type: 'tool_call' }>;
export type ToolResponsePart = Extract<KnownPart, { type: 'tool_call_response' }>;
