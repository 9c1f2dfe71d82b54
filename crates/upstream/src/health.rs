//! How a provider has been doing, for the status page. Nothing here changes where a call goes.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::StatusCode;
use parking_lot::Mutex;
use serde::Serialize;
use signalbox_types::seam::Clock;
use signalbox_types::{ErrorClass, Timestamp};

use crate::Provider;
use crate::probe::ProbeStatus;

/// Calls from before that say nothing of now.
const RECENT: Duration = Duration::from_secs(300);
/// So many calls are remembered at most.
const MOST_RECENT: usize = 512;

/// Counters of one provider, kept since the process began.
#[derive(Debug, Default)]
pub(crate) struct Health {
    ok: AtomicU64,
    failed: AtomicU64,
    connections: AtomicU64,
    in_flight: AtomicU64,
    last_error: Mutex<Option<LastError>>,
    /// The latest calls, the oldest first. Held for a few instructions at a time, but for who asks how it is.
    recent: Mutex<VecDeque<Sample>>,
}

/// How a call went.
#[derive(Debug, Clone, Copy)]
struct Sample {
    at: Duration,
    /// Until the head of the answer; none if there was none, or a failure.
    took: Option<Duration>,
}

/// Counts a call as in flight until it is dropped.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Provider>);

impl InFlight {
    pub(crate) fn begin(provider: &Arc<Provider>) -> Self {
        provider.health.in_flight.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(provider))
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        self.0.health.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The latest failure of a provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, utoipa::ToSchema)]
pub struct LastError {
    /// Its class.
    #[serde(rename = "type")]
    pub class: ErrorClass,
    /// What happened, without anything secret.
    pub message: String,
    /// When.
    pub time: Timestamp,
}

/// How a provider has been doing since the process began.
#[derive(Debug, Clone, PartialEq, Default, Serialize, utoipa::ToSchema)]
pub struct HealthSnapshot {
    /// Calls that the provider answered, refusals of a caller's request included.
    pub ok: u64,
    /// Calls that it failed: unreachable, too slow, overloaded, 5xx, our credential refused, or cut while answering.
    pub failed: u64,
    /// Connections opened.
    pub connections: u64,
    /// Calls that it is answering.
    pub in_flight: u64,
    /// How its latest calls went; absent if there was none of late.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recent: Option<Recent>,
    /// The latest failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
    /// What it answers when it is asked whether it is well; absent if nobody asks, or not yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probe: Option<ProbeStatus>,
}

/// How the latest calls of a provider went: those of five minutes, 512 at most.
#[derive(Debug, Clone, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Recent {
    /// How many there were.
    pub calls: u64,
    /// Which share of them failed: 0 to 1.
    pub failure_rate: f64,
    /// How long half of the others took at most until the answer began, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p50_ms: Option<f64>,
    /// The same of 95 in a hundred.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub p95_ms: Option<f64>,
}

impl Health {
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a status line, and how long it took to come. 4xx that are about the caller's request count as answered.
    pub(crate) fn answered(&self, status: StatusCode, took: Duration, clock: &dyn Clock) {
        match class_of(status) {
            None => {
                self.ok.fetch_add(1, Ordering::Relaxed);
                self.note(Some(took), clock);
            }
            Some(class) => self.failed(class, format!("HTTP status {}", status.as_u16()), clock),
        }
    }

    pub(crate) fn failed(&self, class: ErrorClass, message: String, clock: &dyn Clock) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        self.note(None, clock);
        *self.last_error.lock() = Some(LastError { class, message, time: clock.now() });
    }

    /// No call failed, but one would have.
    pub(crate) fn unreachable(&self, class: ErrorClass, message: String, clock: &dyn Clock) {
        *self.last_error.lock() = Some(LastError { class, message, time: clock.now() });
    }

    fn note(&self, took: Option<Duration>, clock: &dyn Clock) {
        let at = clock.elapsed();
        let mut recent = self.recent.lock();
        if recent.len() >= MOST_RECENT {
            recent.pop_front();
        }
        recent.push_back(Sample { at, took });
    }

    pub(crate) fn snapshot(&self, clock: &dyn Clock) -> HealthSnapshot {
        HealthSnapshot {
            ok: self.ok.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            in_flight: self.in_flight.load(Ordering::Relaxed),
            recent: self.recent(clock.elapsed()),
            last_error: self.last_error.lock().clone(),
            probe: None,
        }
    }

    fn recent(&self, now: Duration) -> Option<Recent> {
        let is_recent = |sample: &&Sample| now.saturating_sub(sample.at) < RECENT;
        let samples: Vec<Sample> = self.recent.lock().iter().filter(is_recent).copied().collect();
        if samples.is_empty() {
            return None;
        }
        let mut took: Vec<Duration> = samples.iter().filter_map(|sample| sample.took).collect();
        took.sort_unstable();
        let quantile = |share: f64| {
            let rank = (took.len() as f64 * share).ceil() as usize;
            took.get(rank.saturating_sub(1)).map(|took| took.as_secs_f64() * 1_000.0)
        };
        Some(Recent {
            calls: samples.len() as u64,
            failure_rate: (samples.len() - took.len()) as f64 / samples.len() as f64,
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
        })
    }
}

/// The class of a status that is the provider's failure; `None` if it answered as it should.
pub(crate) fn class_of(status: StatusCode) -> Option<ErrorClass> {
    match status.as_u16() {
        401 | 403 => Some(ErrorClass::UpstreamAuth),
        429 => Some(ErrorClass::RateLimited),
        503 | 529 => Some(ErrorClass::UpstreamOverloaded),
        504 | 408 => Some(ErrorClass::UpstreamTimeout),
        500.. => Some(ErrorClass::UpstreamError),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use signalbox_testkit::ManualClock;

    use super::*;

    #[test]
    fn the_latest_calls_are_summed_up_and_forgotten() {
        let (health, clock) = (Health::default(), ManualClock::default());
        assert_eq!(health.snapshot(&clock).recent, None);
        for ms in (1..=100).rev() {
            health.answered(StatusCode::OK, Duration::from_millis(ms), &clock);
        }
        for _ in 0..25 {
            health.failed(ErrorClass::UpstreamTimeout, "x".to_owned(), &clock);
        }
        let expected = Recent { calls: 125, failure_rate: 0.2, p50_ms: Some(50.0), p95_ms: Some(95.0) };
        assert_eq!(health.snapshot(&clock).recent, Some(expected));
        clock.advance(Duration::from_secs(299));
        health.answered(StatusCode::BAD_GATEWAY, Duration::ZERO, &clock);
        clock.advance(Duration::from_secs(1));
        let expected = Recent { calls: 1, failure_rate: 1.0, p50_ms: None, p95_ms: None };
        assert_eq!(health.snapshot(&clock).recent, Some(expected));
        for _ in 0..1_000 {
            health.answered(StatusCode::OK, Duration::ZERO, &clock);
        }
        assert_eq!(health.snapshot(&clock).recent.unwrap().calls, MOST_RECENT as u64);
    }
}
