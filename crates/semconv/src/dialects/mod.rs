pub(crate) mod openinference;
pub(crate) mod otel_genai;
