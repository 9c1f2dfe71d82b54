use std::sync::Arc;

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode};
use http_body::Body;
use http_body_util::{BodyExt, Full};
use signalbox_catalog::Catalog;
use signalbox_prices::Prices;
use signalbox_types::seam::{Clock, EventStore};

use crate::receivers::otlp_grpc;
use crate::{IngestConfig, IngestMetrics, Shared, registry};

/// What a body may fail with.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;
/// A request body of any connection.
pub type RequestBody = http_body_util::combinators::UnsyncBoxBody<Bytes, BodyError>;

/// Why a body broke off.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BodyError(BoxError);

impl From<BoxError> for BodyError {
    fn from(error: BoxError) -> Self {
        Self(error)
    }
}

/// What the receivers are made of.
#[derive(Debug)]
pub struct IngestParts {
    /// Limits.
    pub config: IngestConfig,
    /// Where spans go.
    pub store: Arc<dyn EventStore>,
    /// Whose key it is.
    pub catalog: Arc<Catalog>,
    /// What calls cost.
    pub prices: Prices,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
}

/// All receivers.
#[derive(Debug)]
pub struct Ingest {
    shared: Arc<Shared>,
}

impl Ingest {
    /// The receivers over these parts.
    #[must_use]
    pub fn new(parts: IngestParts) -> Self {
        let slots =
            tokio::sync::Semaphore::new(parts.config.max_in_flight.clamp(1, tokio::sync::Semaphore::MAX_PERMITS));
        Self {
            shared: Arc::new(Shared {
                config: parts.config,
                store: parts.store,
                catalog: parts.catalog,
                prices: parts.prices,
                clock: parts.clock,
                metrics: IngestMetrics::default(),
                slots,
            }),
        }
    }

    /// Whether a request over HTTP is for a receiver.
    #[must_use]
    pub fn handles(&self, method: &Method, path: &str) -> bool {
        registry::ALL.iter().any(|receiver| receiver.handles(method, path))
    }

    /// Answers a request over HTTP.
    pub async fn serve<B>(&self, request: Request<B>) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let receiver = registry::ALL.iter().find(|one| one.handles(request.method(), request.uri().path()));
        match receiver {
            Some(receiver) => {
                let request = request.map(|body| body.map_err(|error| BodyError::from(error.into())).boxed_unsync());
                receiver.serve(&self.shared, request).await
            }
            None => {
                let mut response = Response::new(Full::default());
                *response.status_mut() = StatusCode::NOT_FOUND;
                response
            }
        }
    }

    /// The receivers over gRPC: OTLP.
    #[must_use]
    pub fn grpc(&self) -> tonic::service::Routes {
        otlp_grpc::routes(&self.shared)
    }

    /// What was taken and refused.
    #[must_use]
    pub fn metrics(&self) -> &IngestMetrics {
        &self.shared.metrics
    }
}
