//! Until when there has to be an answer: by a route's settings, or because its caller waits no longer.

use std::time::Duration;

use http::HeaderMap;
use signalbox_types::ErrorClass;
use tokio::time::Instant;

use crate::call::CallError;

/// Ours, in milliseconds.
const OURS: &str = "x-signalbox-timeout-ms";
/// gRPC's: a whole number and a unit.
const GRPC: &str = "grpc-timeout";
/// What the SDKs of OpenAI and Anthropic send by themselves: the seconds that they wait for an answer.
const SDK: &str = "x-stainless-timeout";
/// So much earlier than the caller gives up, and a twentieth of its time at most, so that it still hears why.
const SPARE: Duration = Duration::from_millis(250);

/// An end to the wait for an answer: for the first content of a stream, or the end of an answer that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Until {
    pub(crate) at: Instant,
    time: Duration,
    set_by: SetBy,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SetBy {
    /// This field below a route's `timeouts`.
    Route(&'static str),
    /// This header.
    Caller(&'static str),
}

impl Until {
    pub(crate) fn of_route(field: &'static str, time: Duration) -> Self {
        Self { at: Instant::now() + time, time, set_by: SetBy::Route(field) }
    }

    /// Whether our own header can be read: who writes it by hand wants it to count.
    ///
    /// # Errors
    /// It can't.
    pub(crate) fn check(headers: &HeaderMap) -> Result<(), CallError> {
        let Some(value) = headers.get(OURS) else { return Ok(()) };
        let is_time = |text: &str| millis(text.trim()).is_some_and(|time| !time.is_zero());
        if value.to_str().is_ok_and(is_time) {
            return Ok(());
        }
        let found: String = String::from_utf8_lossy(value.as_bytes()).chars().take(40).collect();
        let message = format!(
            "the header `{OURS}` is `{found}`: expected how long you wait in milliseconds, a whole number of at least 1, like `30000`"
        );
        Err(CallError::caller(ErrorClass::InvalidRequest, message))
    }

    /// What a caller's headers say. What SDKs send by themselves and can't be read says nothing: no call fails because of
    /// a hint.
    pub(crate) fn of_caller(headers: &HeaderMap) -> Option<Self> {
        let read = |name: &'static str, time: fn(&str) -> Option<Duration>| {
            let text = headers.get(name)?.to_str().ok()?.trim();
            time(text).filter(|time| !time.is_zero()).map(|time| (name, time))
        };
        let (header, time) = read(OURS, millis).or_else(|| read(GRPC, grpc)).or_else(|| read(SDK, seconds))?;
        let at = Instant::now().checked_add(time - SPARE.min(time / 20))?;
        Some(Self { at, time, set_by: SetBy::Caller(header) })
    }

    pub(crate) fn earliest(all: impl IntoIterator<Item = Self>) -> Option<Self> {
        all.into_iter().min_by_key(|until| until.at)
    }

    /// There would still be time after such a wait.
    pub(crate) fn allows(&self, wait: Duration) -> bool {
        Instant::now() + wait < self.at
    }

    /// It is over. `what` says who didn't answer.
    pub(crate) fn error(&self, what: &str) -> CallError {
        let ms = self.time.as_millis();
        match self.set_by {
            SetBy::Route(field) => {
                let message = format!("{what} within {ms} ms; raise timeouts.{field} of the route if it needs longer");
                CallError::upstream(ErrorClass::UpstreamTimeout, message)
            }
            // The target isn't to blame if one caller has little patience: others would lose it for that.
            SetBy::Caller(header) => {
                let message = format!("{what} within {ms} ms, which is how long the caller waits (`{header}`)");
                CallError::caller(ErrorClass::UpstreamTimeout, message)
            }
        }
    }
}

fn millis(text: &str) -> Option<Duration> {
    text.parse().ok().map(Duration::from_millis)
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

fn grpc(text: &str) -> Option<Duration> {
    let (number, unit) = text.split_at_checked(text.len().checked_sub(1)?)?;
    let number: u64 = number.parse().ok().filter(|_| number.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_secs(number * 3_600),
        "M" => Duration::from_secs(number * 60),
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn callers_say_how_long_they_wait() {
        let check = |headers: &[(&'static str, &'static str)], expected: Option<u64>| {
            let all =
                headers.iter().map(|(name, value)| (HeaderName::from_static(name), HeaderValue::from_static(value)));
            let until = Until::of_caller(&all.collect());
            assert_eq!(until.map(|until| until.time), expected.map(Duration::from_millis), "{headers:?}");
        };
        check(&[], None);
        check(&[("x-stainless-timeout", "600")], Some(600_000));
        check(&[("x-stainless-timeout", "1.5")], Some(1_500));
        check(&[("x-signalbox-timeout-ms", "300"), ("x-stainless-timeout", "600")], Some(300));
        check(&[("grpc-timeout", "2S")], Some(2_000));
        check(&[("grpc-timeout", "20m")], Some(20));
        check(&[("grpc-timeout", "1H")], Some(3_600_000));
        for nonsense in ["", "0", "-1", "NaN", "inf", "1e300", "soon", "S", "+"] {
            for name in ["x-signalbox-timeout-ms", "grpc-timeout", "x-stainless-timeout"] {
                check(&[(name, nonsense)], None);
                let headers = [(HeaderName::from_static(name), HeaderValue::from_static(nonsense))];
                assert_eq!(Until::check(&headers.into_iter().collect()).is_err(), name == OURS, "{name}: {nonsense}");
            }
        }
        let headers = [(HeaderName::from_static(OURS), HeaderValue::from_static(" 300 "))];
        assert!(Until::check(&headers.into_iter().collect()).is_ok());
    }
}
