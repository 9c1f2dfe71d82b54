//! Whether and when a target that failed is asked again.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBackoff, ExponentialBuilder};
use http::HeaderMap;
use http::header::RETRY_AFTER;
use signalbox_types::{ErrorClass, Timestamp};

use super::config::RetryConfig;
use crate::call::CallError;

/// So many retries are there at first, and at most.
const MOST_RETRIES: f64 = 10.0;
const UNIT: f64 = 1_000.0;

/// How many retries and hedges a route may still make. Each call adds a share of one, each retry takes one: in an
/// outage, the load grows by that share and no more.
#[derive(Debug)]
pub(super) struct Budget {
    left: AtomicI64,
    share: i64,
}

impl Budget {
    pub(super) fn new(share: f64) -> Self {
        let units = |retries: f64| (retries * UNIT) as i64;
        let left = if share == 0.0 { 0.0 } else { MOST_RETRIES };
        Self { left: AtomicI64::new(units(left)), share: units(share) }
    }

    /// A call came in.
    pub(super) fn earn(&self) {
        let most = (MOST_RETRIES * UNIT) as i64;
        let before = self.left.fetch_add(self.share, Ordering::Relaxed);
        if before + self.share > most {
            self.left.fetch_sub(self.share, Ordering::Relaxed);
        }
    }

    /// Takes one retry, if there is one left.
    pub(super) fn try_spend(&self) -> bool {
        let one = UNIT as i64;
        self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| (left >= one).then_some(left - one)).is_ok()
    }

    /// Retries that are left, for the status page.
    pub(super) fn left(&self) -> f64 {
        self.left.load(Ordering::Relaxed) as f64 / UNIT
    }
}

/// The tries of one call on one target.
#[derive(Debug)]
pub(super) struct Tries {
    waits: ExponentialBackoff,
    most: Duration,
    /// What a policy blocked is asked for again.
    again_if_blocked: bool,
}

impl Tries {
    pub(super) fn new(config: &RetryConfig, again_if_blocked: bool) -> Self {
        // Jittered: equal waits would line the retries of all callers up again.
        let waits = ExponentialBuilder::default()
            .with_min_delay(config.base.0)
            .with_max_delay(config.max.0)
            .with_max_times(usize::try_from(config.attempts).unwrap_or(usize::MAX))
            .with_jitter()
            .build();
        Self { waits, most: config.max.0, again_if_blocked }
    }

    /// How long to wait before the same target is asked again; `None` if it isn't. `elsewhere`: there is another target
    /// that could be asked at once.
    pub(super) fn next(&mut self, error: &CallError, now: Timestamp, elsewhere: bool) -> Option<Duration> {
        let may_be_gone = match error.class {
            ErrorClass::UpstreamUnreachable | ErrorClass::UpstreamError => true,
            // Waiting again would double the caller's wait.
            ErrorClass::RateLimited | ErrorClass::UpstreamOverloaded | ErrorClass::UpstreamTimeout => !elsewhere,
            // Another model is more likely to say something else.
            ErrorClass::GuardrailBlocked => self.again_if_blocked && !elsewhere,
            _ => false,
        };
        let wait = may_be_gone.then(|| self.waits.next()).flatten()?;
        let asked = retry_after(&error.detail.headers, now).unwrap_or_default();
        (asked <= self.most).then_some(wait.min(self.most).max(asked))
    }
}

/// How long a provider asks to wait.
pub(super) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(ms) = headers.get("retry-after-ms").and_then(|value| value.to_str().ok()?.trim().parse::<f64>().ok()) {
        return Duration::try_from_secs_f64(ms / 1_000.0).ok();
    }
    let text = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = text.parse::<f64>() {
        return Duration::try_from_secs_f64(seconds).ok();
    }
    let date = httpdate::parse_http_date(text).ok()?.duration_since(std::time::UNIX_EPOCH).ok()?;
    let now = Duration::from_micros(u64::try_from(now.as_micros()).ok()?);
    Some(date.saturating_sub(now))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(class: ErrorClass, retry_after: Option<&str>) -> CallError {
        let error = CallError::upstream(class, "x");
        match retry_after {
            Some(value) => error.header(RETRY_AFTER, value.parse().unwrap()),
            None => error,
        }
    }

    #[test]
    fn retry_after_is_honoured_up_to_the_longest_wait() {
        let now = Timestamp::from_micros(1_445_412_478_000_000);
        let check = |class, retry_after: Option<&str>, elsewhere, expected: Option<std::ops::Range<u64>>| {
            let mut tries = Tries::new(&RetryConfig::default(), false);
            let wait = tries.next(&error(class, retry_after), now, elsewhere).map(|wait| wait.as_millis() as u64);
            let as_expected = match (&wait, &expected) {
                (Some(wait), Some(range)) => range.contains(wait),
                (wait, range) => wait.is_none() && range.is_none(),
            };
            assert!(as_expected, "{class} {retry_after:?}: {wait:?}, expected {expected:?}");
        };
        check(ErrorClass::UpstreamError, None, true, Some(200..401));
        check(ErrorClass::RateLimited, Some("2"), false, Some(2_000..2_001));
        check(ErrorClass::RateLimited, Some("2"), true, None);
        check(ErrorClass::RateLimited, Some("60"), false, None);
        // Two seconds after `now`.
        check(ErrorClass::UpstreamOverloaded, Some("Wed, 21 Oct 2015 07:28:00 GMT"), false, Some(2_000..2_001));
        check(ErrorClass::InvalidRequest, None, false, None);
        check(ErrorClass::UpstreamAuth, None, false, None);
    }

    #[test]
    fn waits_end() {
        let mut tries = Tries::new(&RetryConfig { attempts: 2, ..RetryConfig::default() }, false);
        let error = error(ErrorClass::UpstreamError, None);
        let waits: Vec<_> = std::iter::from_fn(|| tries.next(&error, Timestamp::default(), false)).collect();
        assert_eq!(waits.len(), 2);
    }

    #[test]
    fn what_was_blocked_is_asked_for_again_only_where_that_is_wanted() {
        let blocked = CallError::caller(ErrorClass::GuardrailBlocked, "x");
        for (wanted, elsewhere, expected) in [(false, false, false), (true, false, true), (true, true, false)] {
            let mut tries = Tries::new(&RetryConfig::default(), wanted);
            assert_eq!(tries.next(&blocked, Timestamp::default(), elsewhere).is_some(), expected);
        }
    }

    #[test]
    fn the_budget_bounds_a_storm() {
        let budget = Budget::new(0.2);
        let made = (0..1_000).filter(|_| {
            budget.earn();
            budget.try_spend()
        });
        assert!((200..=212).contains(&made.count()));
        assert!(!Budget::new(0.0).try_spend());
    }
}
