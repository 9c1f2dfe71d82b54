//! How a provider has been doing, for the status page. Counts only: nothing here changes where a call goes.

use std::sync::atomic::{AtomicU64, Ordering};

use http::StatusCode;
use parking_lot::Mutex;
use serde::Serialize;
use signalbox_types::seam::Clock;
use signalbox_types::{ErrorClass, Timestamp};

/// Counters of one provider, kept since the process began.
#[derive(Debug, Default)]
pub(crate) struct Health {
    ok: AtomicU64,
    failed: AtomicU64,
    connections: AtomicU64,
    last_error: Mutex<Option<LastError>>,
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
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, utoipa::ToSchema)]
pub struct HealthSnapshot {
    /// Calls that the provider answered, refusals of a caller's request included.
    pub ok: u64,
    /// Calls that it failed: unreachable, too slow, overloaded, 5xx, our credential refused, or cut while answering.
    pub failed: u64,
    /// Connections opened.
    pub connections: u64,
    /// The latest failure.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_error: Option<LastError>,
}

impl Health {
    pub(crate) fn connected(&self) {
        self.connections.fetch_add(1, Ordering::Relaxed);
    }

    /// Notes a status line. 4xx that are about the caller's request count as answered.
    pub(crate) fn answered(&self, status: StatusCode, clock: &dyn Clock) {
        match class_of(status) {
            None => {
                self.ok.fetch_add(1, Ordering::Relaxed);
            }
            Some(class) => self.failed(class, format!("HTTP status {}", status.as_u16()), clock),
        }
    }

    pub(crate) fn failed(&self, class: ErrorClass, message: String, clock: &dyn Clock) {
        self.failed.fetch_add(1, Ordering::Relaxed);
        *self.last_error.lock() = Some(LastError { class, message, time: clock.now() });
    }

    pub(crate) fn snapshot(&self) -> HealthSnapshot {
        HealthSnapshot {
            ok: self.ok.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            connections: self.connections.load(Ordering::Relaxed),
            last_error: self.last_error.lock().clone(),
        }
    }
}

/// The class of a status that is the provider's failure; `None` if it answered as it should.
fn class_of(status: StatusCode) -> Option<ErrorClass> {
    match status.as_u16() {
        401 | 403 => Some(ErrorClass::UpstreamAuth),
        429 => Some(ErrorClass::RateLimited),
        503 | 529 => Some(ErrorClass::UpstreamOverloaded),
        504 | 408 => Some(ErrorClass::UpstreamTimeout),
        500.. => Some(ErrorClass::UpstreamError),
        _ => None,
    }
}
