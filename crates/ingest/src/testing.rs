//! Receivers over a real catalog and a store in memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::metrics::v1::{Metric, ResourceMetrics, ScopeMetrics, metric};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use signalbox_catalog::Catalog;
use signalbox_prices::PriceBook;
use signalbox_testkit::{ManualClock, MemoryStore};
use signalbox_types::seam::{BoxFuture, BoxStream, Clock, Erase, Erased, EventStore, StoreError, StoreStats};
use signalbox_types::{Answer, Events, ProjectId, Query, Secret};

use crate::{Ingest, IngestConfig, IngestParts};

pub(crate) const KEY: &str = "a-key-for-tests";

pub(crate) struct Bench {
    pub(crate) ingest: Ingest,
    pub(crate) store: Arc<MemoryStore>,
    _folder: tempfile::TempDir,
}

pub(crate) async fn bench() -> Bench {
    bench_with(IngestConfig::default(), None).await
}

pub(crate) async fn bench_with(config: IngestConfig, failure: Option<StoreError>) -> Bench {
    let folder = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(ManualClock::default());
    let catalog = Catalog::open(folder.path(), Arc::clone(&clock)).await.unwrap();
    catalog.bootstrap(Some(Secret::new(KEY.to_owned()))).await.unwrap();
    let store = Arc::new(MemoryStore::new(Arc::clone(&clock)));
    let behind: Arc<dyn EventStore> = match failure {
        Some(failure) => Arc::new(Failing { failure, asked: AtomicU32::new(0) }),
        None => Arc::clone(&store) as Arc<dyn EventStore>,
    };
    let parts =
        IngestParts { config, store: behind, catalog: Arc::new(catalog), prices: PriceBook::builtin().into(), clock };
    Bench { ingest: Ingest::new(parts), store, _folder: folder }
}

impl Bench {
    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: impl Into<Bytes>) -> Response<Bytes> {
        let mut request = Request::post(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let response = self.ingest.serve(request.body(Full::new(body.into())).unwrap()).await;
        let (head, body) = response.into_parts();
        #[expect(clippy::disallowed_methods, reason = "an answer of ours is small")]
        let body = body.collect().await.unwrap().to_bytes();
        Response::from_parts(head, body)
    }

    pub(crate) fn metrics(&self) -> String {
        let mut registry = prometheus_client::registry::Registry::default();
        self.ingest.metrics().register(&mut registry);
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        text
    }
}

/// A store that always fails in one way.
#[derive(Debug)]
struct Failing {
    failure: StoreError,
    asked: AtomicU32,
}

impl EventStore for Failing {
    fn append(&self, _: Events) -> BoxFuture<'_, Result<(), StoreError>> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async { Err(self.failure.clone()) })
    }

    fn query<'a>(&'a self, _: &'a ProjectId, _: &'a Query) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async { Err(self.failure.clone()) })
    }

    fn sql<'a>(&'a self, _: &'a ProjectId, _: &'a str) -> BoxFuture<'a, Result<Answer, StoreError>> {
        Box::pin(async { Err(self.failure.clone()) })
    }

    fn watch(&self, _: &ProjectId) -> BoxStream<Arc<signalbox_types::Span>> {
        unreachable!("receivers don't read")
    }

    fn erase<'a>(&'a self, _: &'a ProjectId, _: &'a Erase) -> BoxFuture<'a, Result<Erased, StoreError>> {
        Box::pin(async { Err(self.failure.clone()) })
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}

pub(crate) fn attribute(key: &str, value: any_value::Value) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

pub(crate) fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, any_value::Value::StringValue(value.to_owned()))
}

/// A chat call, as an SDK sends it.
pub(crate) fn chat_span() -> Span {
    Span {
        trace_id: vec![0x5b; 16],
        span_id: vec![0xee; 8],
        name: "chat gpt-4o-mini".to_owned(),
        kind: 3,
        start_time_unix_nano: 1_795_507_200_000_000_000,
        end_time_unix_nano: 1_795_507_200_250_000_000,
        attributes: vec![
            text("gen_ai.operation.name", "chat"),
            text("gen_ai.provider.name", "openai"),
            text("gen_ai.request.model", "gpt-4o-mini"),
            attribute("gen_ai.usage.input_tokens", any_value::Value::IntValue(1_000)),
            attribute("gen_ai.usage.output_tokens", any_value::Value::IntValue(100)),
        ],
        ..Span::default()
    }
}

fn resource() -> Resource {
    Resource { attributes: vec![text("service.name", "shop")], ..Resource::default() }
}

pub(crate) fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource()),
            scope_spans: vec![ScopeSpans { spans, ..ScopeSpans::default() }],
            ..ResourceSpans::default()
        }],
    }
}

pub(crate) fn logs_request(log_records: Vec<LogRecord>) -> ExportLogsServiceRequest {
    ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource()),
            scope_logs: vec![ScopeLogs { log_records, ..ScopeLogs::default() }],
            ..ResourceLogs::default()
        }],
    }
}

/// A metric `m` in seconds for each of these.
pub(crate) fn metrics_request(data: impl IntoIterator<Item = metric::Data>) -> ExportMetricsServiceRequest {
    let metric = |data| Metric {
        name: "m".to_owned(),
        unit: "s".to_owned(),
        description: "how long".to_owned(),
        data: Some(data),
        ..Metric::default()
    };
    ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource()),
            scope_metrics: vec![ScopeMetrics {
                metrics: data.into_iter().map(metric).collect(),
                ..ScopeMetrics::default()
            }],
            ..ResourceMetrics::default()
        }],
    }
}
