//! Spans from clocks that are far ahead. With the time that was sent they would stand first in every list, for ever.

use std::collections::HashMap;
use std::time::Duration;

use serde_json::Value;
use signalbox_semconv::RawSpan;
use signalbox_types::{Timestamp, TraceId};

/// Clocks may differ by a time zone's confusion; beyond that the time is wrong.
const MOST_AHEAD: Duration = Duration::from_secs(24 * 60 * 60);

/// Where the start that was sent is kept.
const SENT_START: &str = "otel.sent_start_time";

/// Moves spans that start more than a day ahead of our clock back, so that the last one of their trace in this batch
/// ends now. Order and durations stay, and what was sent is kept in an attribute.
pub(super) fn mend(spans: &mut [RawSpan], now: Timestamp) {
    let nanos = |time: Timestamp| u64::try_from(time.as_micros()).unwrap_or(0).saturating_mul(1_000);
    let (now, limit) = (nanos(now), nanos(now.plus(MOST_AHEAD)));
    let mut ends: HashMap<TraceId, u64> = HashMap::new();
    for span in spans.iter().filter(|span| span.start_ns > limit) {
        let end = ends.entry(span.trace_id).or_default();
        *end = span.start_ns.max(span.end_ns).max(*end);
    }
    for span in spans.iter_mut().filter(|span| span.start_ns > limit) {
        let by = ends.get(&span.trace_id).map_or(0, |end| end.saturating_sub(now));
        let sent = Timestamp::from_nanos(span.start_ns).to_string();
        span.attributes.insert(SENT_START, Value::String(sent));
        span.start_ns = span.start_ns.saturating_sub(by);
        span.end_ns = span.end_ns.saturating_sub(by);
        for event in &mut span.events {
            event.time_ns = event.time_ns.saturating_sub(by);
        }
    }
}

#[cfg(test)]
mod tests {
    use signalbox_types::SpanId;

    use super::*;

    const SECOND: u64 = 1_000_000_000;
    const NOW: u64 = 1_764_000_000 * SECOND;

    /// A batch of one trace whose spans start and last so many seconds from now, and where they are put.
    fn check(sent: &[(i64, u64)], expected: &[i64]) -> Vec<RawSpan> {
        let at = |offset: i64| NOW.saturating_add_signed(offset * SECOND as i64);
        let trace = TraceId::from_slice(&[1; 16]).unwrap();
        let span = |(offset, lasts): &(i64, u64)| {
            let mut span = RawSpan::new(trace, SpanId::from_slice(&[2; 8]).unwrap(), "s".to_owned());
            span.start_ns = at(*offset);
            span.end_ns = span.start_ns + lasts * SECOND;
            span
        };
        let mut spans: Vec<RawSpan> = sent.iter().map(span).collect();
        mend(&mut spans, Timestamp::from_nanos(NOW));
        let starts: Vec<u64> = spans.iter().map(|span| span.start_ns).collect();
        assert_eq!(starts, expected.iter().map(|offset| at(*offset)).collect::<Vec<_>>());
        for (span, (_, lasts)) in spans.iter().zip(sent) {
            assert_eq!(span.end_ns - span.start_ns, lasts * SECOND);
        }
        spans
    }

    #[test]
    fn what_is_far_ahead_ends_now() {
        const YEAR: i64 = 365 * 86_400;
        check(&[(-5, 1), (0, 2), (86_000, 1)], &[-5, 0, 86_000]);
        let spans = check(&[(YEAR, 10), (YEAR + 4, 2), (-7, 1)], &[-10, -6, -7]);
        let kept = |span: &RawSpan| span.attributes.iter().any(|(name, _)| name == SENT_START);
        assert_eq!(spans.iter().map(kept).collect::<Vec<_>>(), [true, true, false]);
    }
}
