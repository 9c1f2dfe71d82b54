//! OTLP over gRPC: the three collector services. Written by hand over tonic's server: generated
//! code would bring a client along.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::HeaderMap;
use prost::Message;
use signalbox_types::seam::BoxFuture;
use tonic::body::Body;
use tonic::codec::{CompressionEncoding, EnabledCompressionEncodings};
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::error::Refusal;
use crate::otlp::proto::{Delay, ExportResponse, Packed, PartialSuccess, RetryInfo, RpcStatus, TraceRequest};
use crate::otlp::proto_logs::LogsRequest;
use crate::otlp::proto_metrics::MetricsRequest;
use crate::otlp::{Sender, Stored, spans};
use crate::{Shared, auth, body, pipeline};
use signalbox_catalog::Principal;

const NAME: &str = "otlp_grpc";

/// The services over these parts.
pub(crate) fn routes(shared: &Arc<Shared>) -> Routes {
    Routes::new(Collector::<Traces>::new(shared))
        .add_service(Collector::<Metrics>::new(shared))
        .add_service(Collector::<Logs>::new(shared))
}

/// One `…Service/Export`.
trait Export: Send + Sync + 'static {
    const SERVICE: &'static str;
    type Request: Message + Default + 'static;

    /// How many items were not stored, and why.
    fn export(
        shared: &Shared,
        principal: &Principal,
        request: Self::Request,
    ) -> impl Future<Output = Result<(usize, String), Refusal>> + Send;
}

struct Traces;
struct Metrics;
struct Logs;

impl Export for Traces {
    const SERVICE: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
    type Request = TraceRequest;

    async fn export(shared: &Shared, principal: &Principal, request: TraceRequest) -> Result<(usize, String), Refusal> {
        let bytes = request.encoded_len();
        let batch = spans::batch(request, shared.clock.now());
        let rejected = pipeline::store(shared, NAME, principal, bytes, batch).await?;
        Ok((rejected.len(), pipeline::summary(&rejected)))
    }
}

impl Export for Metrics {
    const SERVICE: &'static str = "opentelemetry.proto.collector.metrics.v1.MetricsService";
    type Request = MetricsRequest;

    async fn export(
        shared: &Shared,
        principal: &Principal,
        request: MetricsRequest,
    ) -> Result<(usize, String), Refusal> {
        keep(shared, principal, request).await
    }
}

impl Export for Logs {
    const SERVICE: &'static str = "opentelemetry.proto.collector.logs.v1.LogsService";
    type Request = LogsRequest;

    async fn export(shared: &Shared, principal: &Principal, request: LogsRequest) -> Result<(usize, String), Refusal> {
        keep(shared, principal, request).await
    }
}

async fn keep<T: Stored>(shared: &Shared, principal: &Principal, request: T) -> Result<(usize, String), Refusal> {
    let sender = Sender::new(principal, shared.clock.now());
    let taken = body::work(request.encoded_len(), move || request.events(&sender)).await?;
    let rejected = pipeline::keep(shared, NAME, taken).await?;
    Ok((rejected.len(), pipeline::summary(&rejected)))
}

struct Collector<E> {
    shared: Arc<Shared>,
    export: PhantomData<fn() -> E>,
}

impl<E> Collector<E> {
    fn new(shared: &Arc<Shared>) -> Self {
        Self { shared: Arc::clone(shared), export: PhantomData }
    }
}

impl<E> Clone for Collector<E> {
    fn clone(&self) -> Self {
        Self::new(&self.shared)
    }
}

impl<E: Export> NamedService for Collector<E> {
    const NAME: &'static str = E::SERVICE;
}

impl<E: Export> tower::Service<http::Request<Body>> for Collector<E> {
    type Response = http::Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: http::Request<Body>) -> Self::Future {
        let shared = Arc::clone(&self.shared);
        Box::pin(async move {
            if request.uri().path().strip_prefix('/').and_then(|path| path.strip_suffix("/Export")) != Some(E::SERVICE)
            {
                return Ok(Status::unimplemented("the method is `Export`").into_http());
            }
            // Before the body is read: strangers send nothing.
            let principal = match admit(&shared, request.headers()) {
                Ok(principal) => principal,
                Err(refusal) => return Ok(refused(&shared, &refusal).into_http()),
            };
            let limit = shared.config.max_body_bytes;
            let mut gzip = EnabledCompressionEncodings::default();
            gzip.enable(CompressionEncoding::Gzip);
            let mut grpc = tonic::server::Grpc::new(ProstCodec::<ExportResponse, E::Request>::default())
                .apply_compression_config(gzip, gzip)
                .apply_max_message_size_config(Some(limit), None);
            let export = tower::service_fn(move |request: Request<E::Request>| {
                let (shared, principal) = (Arc::clone(&shared), principal.clone());
                async move { answer::<E>(&shared, &principal, request.into_inner()).await }
            });
            Ok(grpc.unary(export, request).await)
        })
    }
}

fn admit(shared: &Shared, headers: &HeaderMap) -> Result<Principal, Refusal> {
    auth::authenticate(headers, &shared.catalog).map_err(Refusal::Unauthenticated)
}

async fn answer<E: Export>(
    shared: &Shared,
    principal: &Principal,
    request: E::Request,
) -> Result<Response<ExportResponse>, Status> {
    let taken = match shared.slot() {
        Ok(_slot) => E::export(shared, principal, request).await,
        Err(refusal) => Err(refusal),
    };
    let (count, error_message) = taken.map_err(|refusal| refused(shared, &refusal))?;
    shared.metrics.request(NAME, if count == 0 { "ok" } else { "partial" });
    let rejected = i64::try_from(count).unwrap_or(i64::MAX);
    let partial_success = (count > 0).then_some(PartialSuccess { rejected, error_message });
    Ok(Response::new(ExportResponse { partial_success }))
}

/// The status, with a `RetryInfo` where another try helps: a sender may retry only then.
fn refused(shared: &Shared, refusal: &Refusal) -> Status {
    shared.metrics.request(NAME, refusal.reason());
    tracing::debug!(receiver = NAME, reason = refusal.reason(), "a batch was refused: {refusal}");
    let message = refusal.to_string();
    let Some(seconds) = refusal.retry_after_s() else { return Status::new(refusal.code(), message) };
    let retry = RetryInfo { retry_delay: Some(Delay { seconds: i64::from(seconds) }) };
    let details = RpcStatus {
        code: i32::from(refusal.code()),
        message: message.clone(),
        details: vec![Packed {
            type_url: "type.googleapis.com/google.rpc.RetryInfo".to_owned(),
            value: retry.encode_to_vec(),
        }],
    };
    Status::with_details(refusal.code(), message, details.encode_to_vec().into())
}
