//! Which traces a rule takes: always the same ones, whoever asks and whenever.

use signalbox_types::TraceId;

/// Where a trace stands for a rule, spread evenly over 0 up to 1. Trace ids of some SDKs begin or end with the time, so that
/// only their hash is; the rule's name is in it, so that two rules don't take the same traces.
#[must_use]
pub fn lot(rule: &str, trace: &TraceId) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(rule.as_bytes()).update(&[0]).update(trace.as_bytes());
    let bytes = hasher.finalize();
    let number = bytes.as_bytes().first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    // 53 bits are what a float holds, so that 1 itself never comes out.
    (number >> 11) as f64 / (1_u64 << 53) as f64
}

/// Whether a rule with this sample rate takes the trace.
#[must_use]
pub fn takes(rule: &str, trace: &TraceId, rate: f64) -> bool {
    lot(rule, trace) < rate
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::builders::trace_id;

    use super::*;

    #[test]
    fn a_higher_rate_keeps_the_traces_of_a_lower_one_and_rules_differ() {
        let all: Vec<_> = (0..20_000).map(trace_id).collect();
        let taken = |rule: &str, rate: f64| all.iter().filter(|trace| takes(rule, trace, rate)).count();
        for rate in [0.01, 0.1, 0.5] {
            let (found, wanted) = (taken("r", rate) as f64, rate * all.len() as f64);
            // Four standard deviations.
            assert!((found - wanted).abs() < 4.0 * (wanted * (1.0 - rate)).sqrt(), "{rate}: {found}");
        }
        assert!(all.iter().all(|trace| !takes("r", trace, 0.1) || takes("r", trace, 0.2)));
        assert_eq!(taken("r", 1.0), all.len());
        let both = all.iter().filter(|trace| takes("r", trace, 0.5) && takes("s", trace, 0.5)).count();
        assert!((4_700..5_300).contains(&both), "{both}");
    }
}
