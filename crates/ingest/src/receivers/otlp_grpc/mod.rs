//! OTLP over gRPC: the three collector services. Written by hand over tonic's server: generated
//! code would bring a client along.

#[cfg(test)]
mod tests;

use std::convert::Infallible;
use std::marker::PhantomData;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::{Buf as _, Bytes};
use http_body_util::BodyExt as _;
use prost::Message as _;
use signalbox_catalog::Principal;
use signalbox_types::seam::BoxFuture;
use tonic::body::Body;
use tonic::codec::{BufferSettings, Codec, CompressionEncoding, DecodeBuf, Decoder, EnabledCompressionEncodings};
use tonic::server::NamedService;
use tonic::service::Routes;
use tonic::{Request, Response, Status};
use tonic_prost::ProstCodec;

use crate::error::Refusal;
use crate::otlp::proto::{Delay, ExportResponse, Packed, PartialSuccess, RetryInfo, RpcStatus};
use crate::otlp::{self, Format, Signal, Untaken};
use crate::{BodyError, BoxError, Shared, auth, body};

/// A request's body once it is all there.
type Whole = http_body_util::Full<Bytes>;

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
    const SIGNAL: Signal;
}

struct Traces;
struct Metrics;
struct Logs;

impl Export for Traces {
    const SERVICE: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
    const SIGNAL: Signal = Signal::Traces;
}

impl Export for Metrics {
    const SERVICE: &'static str = "opentelemetry.proto.collector.metrics.v1.MetricsService";
    const SIGNAL: Signal = Signal::Metrics;
}

impl Export for Logs {
    const SERVICE: &'static str = "opentelemetry.proto.collector.logs.v1.LogsService";
    const SIGNAL: Signal = Signal::Logs;
}

/// Hands a message on as it came: it is weighed before it is decoded, beside the threads that serve
/// calls if it is large.
struct Undecoded;

impl Codec for Undecoded {
    type Encode = ExportResponse;
    type Decode = Bytes;
    type Encoder = <ProstCodec<ExportResponse, ExportResponse> as Codec>::Encoder;
    type Decoder = Self;

    fn encoder(&mut self) -> Self::Encoder {
        ProstCodec::<ExportResponse, ExportResponse>::raw_encoder(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Decoder for Undecoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
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
            let _slot = match shared.slot() {
                Ok(slot) => slot,
                Err(refusal) => return Ok(refused(&shared, &refusal).into_http()),
            };
            let (principal, request) = match admit(&shared, request).await {
                Ok(admitted) => admitted,
                Err(refusal) => return Ok(refused(&shared, &refusal).into_http()),
            };
            let limit = shared.config.max_body_bytes;
            let mut gzip = EnabledCompressionEncodings::default();
            gzip.enable(CompressionEncoding::Gzip);
            let mut grpc = tonic::server::Grpc::new(Undecoded)
                .apply_compression_config(gzip, gzip)
                .apply_max_message_size_config(Some(limit), None);
            let served = Arc::clone(&shared);
            let export = tower::service_fn(move |request: Request<Bytes>| {
                let (shared, principal) = (Arc::clone(&served), principal.clone());
                async move { answer::<E>(&shared, &principal, request.into_inner()).await }
            });
            Ok(grpc.unary(export, request).await)
        })
    }
}

/// Whose request it is, and the request with its body there, or why it is not taken.
async fn admit(shared: &Shared, request: http::Request<Body>) -> Result<(Principal, http::Request<Whole>), Refusal> {
    // Before the body is read: strangers send nothing.
    let principal = auth::authenticate(request.headers(), &shared.catalog).map_err(Refusal::Unauthenticated)?;
    let (head, body) = request.into_parts();
    let body = body.map_err(|error| BodyError::from(BoxError::from(error))).boxed_unsync();
    let body = body::read(body, &head.headers, &shared.config).await?;
    Ok((principal, http::Request::from_parts(head, Whole::new(body))))
}

async fn answer<E: Export>(
    shared: &Shared,
    principal: &Principal,
    message: Bytes,
) -> Result<Response<ExportResponse>, Status> {
    let weight = message.len();
    let taken = otlp::take(shared, NAME, principal, (E::SIGNAL, Format::Protobuf), weight, || Ok(message)).await;
    let Untaken { count, message: error_message } = taken.map_err(|refusal| refused(shared, &refusal))?;
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
