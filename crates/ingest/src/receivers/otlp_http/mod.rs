//! OTLP over HTTP: `/v1/traces`, `/v1/logs` and `/v1/metrics`, and the paths under which other tools serve them.

mod answer;
#[cfg(test)]
mod decode_tests;
#[cfg(test)]
mod signal_tests;
#[cfg(test)]
mod tests;
pub(crate) mod whatever;

use bytes::Bytes;
use http::{Method, Request, Response};
use http_body_util::Full;
use signalbox_types::seam::BoxFuture;

use self::answer::Encoding;
use crate::error::Refusal;
use crate::otlp::{self, Signal, Untaken};
use crate::{Receiver, RequestBody, Shared, auth, body};

#[derive(Debug)]
pub(crate) struct OtlpHttp;

impl Signal {
    /// What its partial success calls the number of rejected items, in JSON.
    fn rejected(self) -> &'static str {
        match self {
            Self::Traces => "rejectedSpans",
            Self::Metrics => "rejectedDataPoints",
            Self::Logs => "rejectedLogRecords",
        }
    }
}

impl Receiver for OtlpHttp {
    fn name(&self) -> &'static str {
        "otlp_http"
    }

    fn handles(&self, _method: &Method, path: &str) -> bool {
        // Any method: a GET gets told that POST is expected, rather than that nothing is here.
        signal(path).is_some()
    }

    fn serve<'a>(&'a self, shared: &'a Shared, request: Request<RequestBody>) -> BoxFuture<'a, Response<Full<Bytes>>> {
        Box::pin(async move {
            let encoding = Encoding::of(request.headers());
            let signal = signal(request.uri().path()).unwrap_or(Signal::Traces);
            match self.take(shared, signal, encoding, request).await {
                Ok(rejected) => {
                    shared.metrics.request(self.name(), if rejected.count == 0 { "ok" } else { "partial" });
                    answer::taken(encoding, signal.rejected(), rejected.count, rejected.message)
                }
                Err(refusal) => {
                    shared.metrics.request(self.name(), refusal.reason());
                    tracing::debug!(
                        receiver = self.name(),
                        reason = refusal.reason(),
                        "a batch was refused: {refusal}"
                    );
                    answer::refused(encoding, &refusal)
                }
            }
        })
    }
}

impl OtlpHttp {
    async fn take(
        &self,
        shared: &Shared,
        signal: Signal,
        encoding: Encoding,
        request: Request<RequestBody>,
    ) -> Result<Untaken, Refusal> {
        let (head, sent) = request.into_parts();
        if head.method != Method::POST {
            return Err(Refusal::Method);
        }
        let principal = auth::authenticate(&head.headers, &shared.catalog).map_err(Refusal::Unauthenticated)?;
        let _slot = shared.slot()?;
        let format = encoding.format()?;
        let packed = body::read(sent, &head.headers, &shared.config).await?;
        let limit = shared.config.max_body_bytes;
        // What is packed may be a thousand times as large.
        let weight = if head.headers.contains_key(http::header::CONTENT_ENCODING) { limit } else { packed.len() };
        let unpacked = move || body::unpack(packed, &head.headers, limit);
        otlp::take(shared, self.name(), &principal, (signal, format), weight, unpacked).await
    }
}

fn signal(path: &str) -> Option<Signal> {
    let path = path.strip_suffix('/').unwrap_or(path);
    // Langfuse's base, where its own SDK's exporter appends nothing.
    if path == "/api/public/otel" {
        return Some(Signal::Traces);
    }
    let (base, signal) = path.rsplit_once("/v1/")?;
    let signal = match signal {
        "traces" => Signal::Traces,
        "metrics" => Signal::Metrics,
        "logs" => Signal::Logs,
        _ => return None,
    };
    let known = match base {
        "" | "/otel" | "/api/public/otel" | "/v1/private/otel" | "/tracer" => true,
        // OpenObserve's organisations; `/api/v1` is our own API.
        base => base.strip_prefix("/api/").is_some_and(|organisation| {
            !organisation.is_empty() && !organisation.contains('/') && organisation != "v1"
        }),
    };
    known.then_some(signal)
}
