use crate::Dialect;
use crate::dialects::{openinference, otel_genai};

/// Every dialect, by name. Of two that are equally sure the first one reads first.
pub static ALL: &[&dyn Dialect] = &[&openinference::OpenInference, &otel_genai::OtelGenAi];
