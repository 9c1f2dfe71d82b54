//! OTLP/JSON, as the specification wants it and as senders write it: ids in hexadecimal or base64,
//! 64-bit numbers as texts or numbers, enums by number or name, `null` for nothing.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use serde::de::{DeserializeOwned, Error as _};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::proto::{Any, AnyValue, ArrayValue, KeyValueList};

/// A message in JSON; an error names the field.
pub(crate) fn from_json<T: DeserializeOwned>(body: &[u8]) -> Result<T, String> {
    // Serde would take a list for the fields in order, and an empty one for an empty batch.
    if body.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b'[') {
        return Err("it is a list, expected an object like `{\"resourceSpans\": […]}`".to_owned());
    }
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let message = serde_path_to_error::deserialize(&mut deserializer).map_err(|error| {
        let place = error.path().to_string();
        match place.as_str() {
            "." | "?" => error.inner().to_string(),
            place => format!("`{place}`: {}", error.inner()),
        }
    })?;
    deserializer.end().map_err(|error| error.to_string())?;
    Ok(message)
}

pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

pub(super) fn text<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    Ok(Option::<String>::deserialize(deserializer)?.unwrap_or_default().into_bytes())
}

pub(super) fn trace_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    id(deserializer, 16)
}

pub(super) fn span_id<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u8>, D::Error> {
    id(deserializer, 8)
}

/// The specification says hexadecimal; protobuf's own JSON says base64. They can't be confused:
/// the lengths differ. What is neither is kept as it is, and refused with its span, not its batch.
fn id<'de, D: Deserializer<'de>>(deserializer: D, bytes: usize) -> Result<Vec<u8>, D::Error> {
    let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
    if let Ok(id) = hex::decode(&text)
        && id.len() == bytes
    {
        return Ok(id);
    }
    Ok(base64(&text).filter(|id| id.len() == bytes).unwrap_or_else(|| text.into_bytes()))
}

fn base64(text: &str) -> Option<Vec<u8>> {
    [STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD].iter().find_map(|engine| engine.decode(text).ok())
}

/// A number, in digits or in a text of digits.
#[derive(Deserialize)]
#[serde(untagged)]
enum Number {
    Unsigned(u64),
    Float(f64),
    Text(String),
}

pub(super) fn unsigned<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let expected = "expected nanoseconds since the Unix epoch, as a number or as digits in a text";
    match Option::<Number>::deserialize(deserializer).map_err(|_| D::Error::custom(expected))? {
        None => Ok(0),
        Some(Number::Unsigned(number)) => Ok(number),
        // JavaScript writes them as 1.7e18.
        Some(Number::Float(number)) if (0.0..1.8e19).contains(&number) => Ok(number as u64),
        Some(Number::Text(text)) if text.trim().is_empty() => Ok(0),
        Some(Number::Text(text)) => text.trim().parse().map_err(|_| D::Error::custom(expected)),
        Some(_) => Err(D::Error::custom(expected)),
    }
}

pub(super) fn span_kind<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, "SPAN_KIND_", &["UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"])
}

pub(super) fn status_code<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, "STATUS_CODE_", &["UNSET", "OK", "ERROR"])
}

/// By number or by name, with or without its prefix. An unknown one is 0: unspecified.
fn enumeration<'de, D: Deserializer<'de>>(deserializer: D, prefix: &str, names: &[&str]) -> Result<i32, D::Error> {
    let position = |name: &str| {
        let name = name.trim().to_ascii_uppercase();
        let name = name.strip_prefix(prefix).unwrap_or(&name);
        names.iter().position(|known| *known == name).and_then(|position| i32::try_from(position).ok())
    };
    Ok(match Option::<Number>::deserialize(deserializer)? {
        Some(Number::Unsigned(number)) => i32::try_from(number).unwrap_or(0),
        Some(Number::Text(text)) => position(&text).or_else(|| text.trim().parse().ok()).unwrap_or(0),
        _ => 0,
    })
}

/// `{"stringValue": …}` and its siblings.
#[derive(Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Tagged {
    #[serde(alias = "string_value")]
    string_value: Option<String>,
    #[serde(alias = "bool_value")]
    bool_value: Option<bool>,
    #[serde(alias = "int_value")]
    int_value: Option<Value>,
    #[serde(alias = "double_value")]
    double_value: Option<Value>,
    #[serde(alias = "array_value")]
    array_value: Option<ArrayValue>,
    #[serde(alias = "kvlist_value")]
    kvlist_value: Option<KeyValueList>,
    #[serde(alias = "bytes_value")]
    bytes_value: Option<String>,
}

impl<'de> Deserialize<'de> for AnyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let tagged = Tagged::deserialize(deserializer)?;
        let value = if let Some(text) = tagged.string_value {
            Some(Any::Text(text.into_bytes()))
        } else if let Some(value) = tagged.bool_value {
            Some(Any::Bool(value))
        } else if let Some(value) = tagged.int_value {
            Some(whole(&value))
        } else if let Some(value) = tagged.double_value {
            Some(double(&value))
        } else if let Some(values) = tagged.array_value {
            Some(Any::Array(values))
        } else if let Some(values) = tagged.kvlist_value {
            Some(Any::Map(values))
        } else {
            tagged.bytes_value.map(|text| Any::Bytes(base64(&text).unwrap_or_else(|| text.into_bytes())))
        };
        Ok(Self { value })
    }
}

/// What is no whole number stays what it is: better odd than lost.
fn whole(value: &Value) -> Any {
    let number = value.as_i64().or_else(|| value.as_str()?.trim().parse().ok());
    number.map_or_else(|| double(value), Any::Int)
}

fn double(value: &Value) -> Any {
    let number = value.as_f64().or_else(|| value.as_str()?.trim().parse().ok());
    number.map_or_else(
        || Any::Text(value.as_str().map_or_else(|| value.to_string(), str::to_owned).into_bytes()),
        Any::Double,
    )
}
