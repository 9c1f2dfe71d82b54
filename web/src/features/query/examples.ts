/** Questions worth asking, as a start. */
export const examples: { title: string; sql: string }[] = [
  {
    title: 'Latest spans',
    sql: `SELECT start_time, kind, name, model, duration_ms, status, cost
FROM spans
ORDER BY start_time DESC
LIMIT 50`,
  },
  {
    title: 'Cost by model and day',
    sql: `SELECT date_trunc('day', start_time) AS day, model, count(*) AS calls, sum(cost) AS cost
FROM spans
WHERE kind = 'llm'
GROUP BY day, model
ORDER BY day DESC, cost DESC`,
  },
  {
    title: 'Slowest calls of today',
    sql: `SELECT start_time, model, duration_ms, ttft_ms, output_tokens, trace_id
FROM spans
WHERE kind = 'llm' AND start_time > now() - interval '1 day'
ORDER BY duration_ms DESC
LIMIT 20`,
  },
  {
    title: 'Errors by class',
    sql: `SELECT error_type, provider, count(*) AS times, max(start_time) AS latest
FROM spans
WHERE status = 'error'
GROUP BY error_type, provider
ORDER BY times DESC`,
  },
  {
    title: 'What guardrails found',
    sql: `SELECT scanner, rule, severity, action, place, count(*) AS times
FROM findings
GROUP BY scanner, rule, severity, action, place
ORDER BY times DESC`,
  },
  {
    title: 'Heaviest users',
    sql: `SELECT user_id, count(*) AS calls, sum(total_tokens) AS tokens, sum(cost) AS cost
FROM spans
WHERE user_id IS NOT NULL
GROUP BY user_id
ORDER BY cost DESC NULLS LAST
LIMIT 25`,
  },
];
