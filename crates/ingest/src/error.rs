use http::StatusCode;
use signalbox_catalog::AuthError;
use signalbox_types::seam::StoreError;

/// Why a request was not taken. Nothing of it was stored.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum Refusal {
    #[error(
        "{0}. OpenTelemetry SDKs send the key that is set with OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20<key>"
    )]
    Unauthenticated(AuthError),
    #[error("{0}")]
    Malformed(String),
    #[error(
        "the body is larger than {limit} bytes{after}; send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE) or raise `ingest.max_body_bytes`"
    )]
    TooLarge { limit: usize, after: &'static str },
    #[error(
        "the body's items would take more than {limit} bytes of memory: there are too many of them, or a large resource or scope that each of them repeats; send smaller batches (OTEL_BSP_MAX_EXPORT_BATCH_SIZE) or raise `ingest.max_body_bytes`"
    )]
    TooHeavy { limit: usize },
    #[error("{0}")]
    Unsupported(String),
    #[error("this path takes POST")]
    Method,
    #[error("the body took longer than {waited_ms} ms to arrive")]
    TooSlow { waited_ms: u64 },
    #[error("{under_way} requests are under way, which is the limit (`ingest.max_in_flight`); try again")]
    Busy { under_way: usize },
    #[error("{0}")]
    Store(StoreError),
    #[error("the batch could not be read: a fault of ours")]
    Fault,
}

impl Refusal {
    /// The label in metrics and logs.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Unauthenticated(_) => "unauthenticated",
            Self::Malformed(_) => "malformed",
            Self::TooLarge { .. } | Self::TooHeavy { .. } | Self::Store(StoreError::Limit(_)) => "too_large",
            Self::Unsupported(_) => "unsupported",
            Self::Method => "method",
            Self::TooSlow { .. } => "too_slow",
            Self::Busy { .. } => "busy",
            Self::Store(StoreError::Full { .. }) => "store_full",
            Self::Store(StoreError::Disk(_)) => "disk",
            Self::Store(_) | Self::Fault => "internal",
        }
    }

    /// 503 rather than 429 where another try helps: every OpenTelemetry exporter tries again after
    /// a 503, the Python one gives up at 429.
    pub(crate) fn status(&self) -> StatusCode {
        match self {
            Self::Unauthenticated(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::TooLarge { .. } | Self::TooHeavy { .. } | Self::Store(StoreError::Limit(_)) => {
                StatusCode::PAYLOAD_TOO_LARGE
            }
            Self::Unsupported(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Method => StatusCode::METHOD_NOT_ALLOWED,
            Self::TooSlow { .. } => StatusCode::REQUEST_TIMEOUT,
            Self::Busy { .. } | Self::Store(StoreError::Full { .. } | StoreError::Disk(_)) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            Self::Store(_) | Self::Fault => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    pub(crate) fn code(&self) -> tonic::Code {
        match self {
            Self::Unauthenticated(_) => tonic::Code::Unauthenticated,
            Self::Malformed(_)
            | Self::TooLarge { .. }
            | Self::TooHeavy { .. }
            | Self::Unsupported(_)
            | Self::Store(StoreError::Limit(_)) => tonic::Code::InvalidArgument,
            Self::Method => tonic::Code::Unimplemented,
            Self::TooSlow { .. } => tonic::Code::DeadlineExceeded,
            Self::Busy { .. } | Self::Store(StoreError::Full { .. } | StoreError::Disk(_)) => tonic::Code::Unavailable,
            Self::Store(_) | Self::Fault => tonic::Code::Internal,
        }
    }

    /// When another try can help, in seconds.
    pub(crate) fn retry_after_s(&self) -> Option<u32> {
        match self {
            Self::Busy { .. } => Some(1),
            Self::Store(StoreError::Full { retry_after_s }) => Some((*retry_after_s).max(1)),
            // Somebody has to make room first; the sender keeps its batch meanwhile.
            Self::Store(StoreError::Disk(_)) => Some(30),
            _ => None,
        }
    }
}
