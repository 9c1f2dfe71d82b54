use crate::Receiver;
use crate::receivers::otlp_http;

/// Every receiver over HTTP, by name. The first one that handles a request serves it. What comes over
/// gRPC is routed by service instead: `otlp_grpc::routes`.
pub static ALL: &[&dyn Receiver] = &[&otlp_http::OtlpHttp];
