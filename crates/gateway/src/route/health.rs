//! How a target has been doing, and whether it may be asked: a circuit breaker, and an estimate of its latency.

use std::time::Duration;

use parking_lot::Mutex;
use signalbox_types::ErrorClass;

use super::config::BreakerConfig;

/// The latency of so long ago counts for about a third.
const LATENCY_MEMORY: Duration = Duration::from_secs(30);
/// A latency that nobody has measured for so long is unknown again, so that who was slow once gets another chance.
const LATENCY_AGE: Duration = Duration::from_secs(60);
/// How much the latest call says about the rate of failures: about the last twenty count.
const RATE_WEIGHT: f64 = 0.1;
/// A rate over fewer calls says nothing.
const RATE_CALLS: u32 = 10;
/// The cooldown grows up to so many times its length.
const MOST_COOLDOWNS: u32 = 6;
/// For how long a provider that asks to slow down without saying for how long is left alone.
const REST: Duration = Duration::from_secs(1);
/// A provider that asks for more is asked again all the same.
const MOST_REST: Duration = Duration::from_secs(300);

/// Whether a target may be asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum BreakerState {
    /// It is healthy.
    Closed,
    /// It is left alone after failures.
    Open,
    /// The cooldown is over: one call tries it.
    Probing,
    /// It asked to slow down, and is left alone until then.
    Resting,
}

impl BreakerState {
    /// The word for it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::Probing => "probing",
            Self::Resting => "resting",
        }
    }
}

/// Held for a few instructions at a time.
#[derive(Debug, Default)]
pub(super) struct Health(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    in_a_row: u32,
    rate: f64,
    calls: u32,
    open: Option<Open>,
    /// When it came back after failures.
    back_at: Option<Duration>,
    rest_until: Duration,
    /// Of whole answers, and until the first content of streams.
    latency: [Option<Latency>; 2],
    last_error: Option<ErrorClass>,
}

#[derive(Debug, Clone, Copy)]
struct Open {
    until: Duration,
    cooldown: Duration,
    /// One call is trying it.
    probing: bool,
    /// It only failed more often than not, and may be asked if nobody else can be.
    outlier: bool,
}

#[derive(Debug, Clone, Copy)]
struct Latency {
    ms: f64,
    at: Duration,
}

/// A latency that was measured some time ago.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Measured {
    pub(super) ms: f64,
    pub(super) age: Duration,
}

/// What is known of a target at one moment.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    pub(super) state: BreakerState,
    /// It may be asked if nobody else can be.
    pub(super) last_resort: bool,
    /// When it may be asked again, from now.
    pub(super) wait: Duration,
    /// For how long it has been back after failures.
    pub(super) back_for: Option<Duration>,
    pub(super) whole_ms: Option<f64>,
    pub(super) first_content_ms: Option<f64>,
    /// The latest that is known of both, and how old it is, for people. Nobody is chosen by what is old.
    pub(super) last: [Option<Measured>; 2],
    pub(super) failure_rate: Option<f64>,
    pub(super) in_a_row: u32,
    pub(super) last_error: Option<ErrorClass>,
}

impl Health {
    pub(super) fn read(&self, now: Duration) -> Reading {
        let inner = self.0.lock();
        let (state, until) = match inner.open {
            Some(open) if open.probing => (BreakerState::Open, open.until),
            Some(open) if now < open.until => (BreakerState::Open, open.until),
            Some(open) => (BreakerState::Probing, open.until),
            None if now < inner.rest_until => (BreakerState::Resting, inner.rest_until),
            None => (BreakerState::Closed, Duration::ZERO),
        };
        let fresh =
            |latency: Option<Latency>| latency.filter(|one| now.saturating_sub(one.at) < LATENCY_AGE).map(|one| one.ms);
        let [whole, first_content] = inner.latency;
        let measured = |one: Latency| Measured { ms: one.ms, age: now.saturating_sub(one.at) };
        Reading {
            state,
            last_resort: inner.open.is_some_and(|open| open.outlier),
            wait: until.saturating_sub(now),
            back_for: inner.back_at.map(|at| now.saturating_sub(at)),
            whole_ms: fresh(whole),
            first_content_ms: fresh(first_content),
            last: inner.latency.map(|latency| latency.map(measured)),
            failure_rate: (inner.calls >= RATE_CALLS).then_some(inner.rate),
            in_a_row: inner.in_a_row,
            last_error: inner.last_error,
        }
    }

    /// A call is about to be sent. `None` if another one is trying the target just now; else whether this one does.
    pub(super) fn enter(&self, now: Duration) -> Option<bool> {
        let mut inner = self.0.lock();
        match &mut inner.open {
            None => Some(false),
            Some(open) if open.probing || now < open.until => open.outlier.then_some(false),
            Some(open) => {
                open.probing = true;
                Some(true)
            }
        }
    }

    /// The trying call ended without saying anything about the target.
    pub(super) fn probe_ended(&self) {
        if let Some(open) = &mut self.0.lock().open {
            open.probing = false;
        }
    }

    /// It answers; whether to the end is not known yet.
    pub(super) fn answering(&self, took: Duration, stream: bool, now: Duration) {
        let mut inner = self.0.lock();
        if inner.open.take().is_some() {
            // One more failure in a row opens it again; the rate begins anew.
            (inner.calls, inner.rate) = (0, 0.0);
            inner.back_at = Some(now);
        }
        let sample = took.as_secs_f64() * 1_000.0;
        let known = &mut inner.latency[usize::from(stream)];
        let ms = known.filter(|old| now.saturating_sub(old.at) < LATENCY_AGE).map_or(sample, |old| {
            // An exponential decay by time, so that bursts of calls don't wipe out what was before them.
            let age = now.saturating_sub(old.at).as_secs_f64() / LATENCY_MEMORY.as_secs_f64();
            let kept = (-age).exp().min(0.9);
            old.ms * kept + sample * (1.0 - kept)
        });
        *known = Some(Latency { ms, at: now });
    }

    pub(super) fn succeeded(&self) {
        let mut inner = self.0.lock();
        inner.in_a_row = 0;
        inner.count(0.0);
    }

    /// It failed. Gives true if that opened the breaker.
    pub(super) fn failed(&self, class: ErrorClass, config: &BreakerConfig, now: Duration) -> bool {
        let mut inner = self.0.lock();
        inner.last_error = Some(class);
        inner.in_a_row = inner.in_a_row.saturating_add(1);
        inner.count(1.0);
        let outlier = inner.calls >= RATE_CALLS && inner.rate > config.failure_rate;
        let in_a_row = inner.in_a_row >= config.failures;
        let before = inner.open;
        if !in_a_row && !outlier && before.is_none() {
            return false;
        }
        // While it is open, a call that had begun before says nothing new.
        if let Some(open) = before.filter(|open| !open.probing && now < open.until) {
            inner.open = Some(Open { outlier: open.outlier && !in_a_row, ..open });
            return false;
        }
        let first = config.cooldown.0;
        let most = first.saturating_mul(MOST_COOLDOWNS);
        let cooldown = before.map_or(first, |open| open.cooldown.saturating_mul(2).min(most));
        inner.open = Some(Open { until: now + cooldown, cooldown, probing: false, outlier: !in_a_row });
        before.is_none()
    }

    /// It asks to slow down.
    pub(super) fn slow_down(&self, asked: Option<Duration>, now: Duration) {
        let mut inner = self.0.lock();
        inner.last_error = Some(ErrorClass::RateLimited);
        if let Some(open) = &mut inner.open {
            open.probing = false;
        }
        inner.rest_until = inner.rest_until.max(now + asked.unwrap_or(REST).min(MOST_REST));
    }
}

impl Inner {
    fn count(&mut self, failed: f64) {
        self.calls = self.calls.saturating_add(1);
        self.rate += (failed - self.rate) * RATE_WEIGHT.max(1.0 / f64::from(self.calls));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn config(failures: u32) -> BreakerConfig {
        BreakerConfig { failures, cooldown: signalbox_upstream::HumanDuration(SECOND * 30), ..BreakerConfig::default() }
    }

    #[test]
    fn it_opens_lets_one_call_try_and_recovers() {
        let (health, config) = (Health::default(), config(2));
        let at = |seconds: u32| SECOND * seconds;
        let state = |now| health.read(now).state;
        assert!(!health.failed(ErrorClass::UpstreamError, &config, at(0)));
        assert_eq!(state(at(0)), BreakerState::Closed);
        assert!(health.failed(ErrorClass::UpstreamError, &config, at(0)));
        assert_eq!((state(at(0)), health.enter(at(0))), (BreakerState::Open, None));
        assert_eq!((state(at(30)), health.enter(at(30))), (BreakerState::Probing, Some(true)));
        assert_eq!((state(at(30)), health.enter(at(30))), (BreakerState::Open, None), "one at a time");
        // It fails again: twice as long.
        health.failed(ErrorClass::UpstreamError, &config, at(30));
        assert_eq!((state(at(89)), state(at(90))), (BreakerState::Open, BreakerState::Probing));
        // The caller of the next one hangs up: another one may try.
        assert_eq!(health.enter(at(90)), Some(true));
        health.probe_ended();
        assert_eq!(health.enter(at(90)), Some(true));
        health.answering(SECOND, false, at(91));
        health.succeeded();
        assert_eq!((state(at(91)), health.enter(at(91))), (BreakerState::Closed, Some(false)));
        assert!(!health.failed(ErrorClass::UpstreamError, &config, at(92)), "it begins anew");
    }

    #[test]
    fn who_fails_more_often_than_not_is_a_last_resort() {
        let (health, config) = (Health::default(), config(100));
        for _ in 0..20 {
            health.succeeded();
            health.failed(ErrorClass::UpstreamError, &config, SECOND);
            health.failed(ErrorClass::UpstreamError, &config, SECOND);
        }
        let reading = health.read(SECOND);
        assert_eq!((reading.state, reading.last_resort), (BreakerState::Open, true), "{reading:?}");
        // Nobody else can be asked: everybody may, not only one call at a time.
        assert_eq!((health.enter(SECOND), health.enter(SECOND)), (Some(false), Some(false)));
        assert_eq!(health.read(SECOND * 31).state, BreakerState::Probing);
        assert_eq!((health.enter(SECOND * 31), health.enter(SECOND * 31)), (Some(true), Some(false)));
        health.answering(SECOND, false, SECOND * 31);
        health.succeeded();
        assert!(!health.failed(ErrorClass::UpstreamError, &config, SECOND * 31), "the rate begins anew");
    }

    #[test]
    fn who_asks_to_slow_down_rests() {
        let health = Health::default();
        health.slow_down(Some(SECOND * 7), SECOND);
        let reading = health.read(SECOND * 3);
        assert_eq!((reading.state, reading.wait), (BreakerState::Resting, SECOND * 5));
        assert_eq!(health.read(SECOND * 8).state, BreakerState::Closed);
    }

    #[test]
    fn latency_follows_and_is_forgotten() {
        let health = Health::default();
        health.answering(SECOND, true, SECOND);
        assert_eq!(health.read(SECOND).first_content_ms, Some(1_000.0));
        assert_eq!(health.read(SECOND).whole_ms, None);
        health.answering(SECOND / 10, true, SECOND * 40);
        let now = health.read(SECOND * 40).first_content_ms.unwrap();
        assert!((100.0..400.0).contains(&now), "{now}");
        let later = health.read(SECOND * 101);
        assert_eq!(later.first_content_ms, None, "nobody is chosen by it");
        assert_eq!(later.last, [None, Some(Measured { ms: now, age: SECOND * 61 })]);
    }
}
