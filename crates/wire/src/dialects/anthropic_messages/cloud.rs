//! The API as clouds serve it that have it behind their own paths.

use bytes::Bytes;

use crate::error::WireError;
use crate::json::Body;
use crate::write::Writer;

/// The same request with its version in the body, unless one stands there; and without the model, where the path names it.
///
/// # Errors
/// The body is no JSON object.
pub fn anthropic_in_cloud(body: &[u8], version: &str, names_model: bool) -> Result<Bytes, WireError> {
    const VERSION: &str = "anthropic_version";
    let parsed = Body::parse(body)?;
    let root = parsed.object()?;
    let is_said = root.iter().any(|(name, node)| name == VERSION && !node.is_null());
    Writer::try_write(|w| {
        if !is_said {
            w.field(VERSION, version);
        }
        let written = |name: &str| (names_model || name != "model") && (is_said || name != VERSION);
        for (name, node) in root.iter().filter(|(name, _)| written(name)) {
            w.raw_field(name, node.raw().as_bytes());
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(body: &str, names_model: bool, expect: &str) {
        let bytes = anthropic_in_cloud(body.as_bytes(), "v1", names_model).unwrap();
        assert_eq!(std::str::from_utf8(&bytes).unwrap(), expect);
    }

    #[test]
    fn only_version_and_model_change() {
        check(
            r#"{"model": "m", "messages": [ {"model" : 1.0} ], "new": "é"}"#,
            false,
            r#"{"anthropic_version":"v1","messages":[ {"model" : 1.0} ],"new":"é"}"#,
        );
        check(r#"{"model":"m"}"#, true, r#"{"anthropic_version":"v1","model":"m"}"#);
        check(r#"{"anthropic_version":"own","model":"m"}"#, false, r#"{"anthropic_version":"own"}"#);
        check(r#"{"anthropic_version":null}"#, false, r#"{"anthropic_version":"v1"}"#);
        assert!(anthropic_in_cloud(b"[]", "v1", false).is_err());
    }
}
