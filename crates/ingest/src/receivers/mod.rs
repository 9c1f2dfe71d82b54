pub(crate) mod otlp_grpc;
pub(crate) mod otlp_http;
