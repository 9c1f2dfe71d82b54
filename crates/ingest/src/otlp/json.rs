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
    let number = Option::<Number>::deserialize(deserializer).map_err(|_| D::Error::custom(expected))?;
    natural(number).ok_or_else(|| D::Error::custom(expected))
}

const COUNT: &str = "expected a count, as a number or as digits in a text";

pub(super) fn count<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u64, D::Error> {
    let number = Option::<Number>::deserialize(deserializer).map_err(|_| D::Error::custom(COUNT))?;
    natural(number).ok_or_else(|| D::Error::custom(COUNT))
}

pub(super) fn counts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u64>, D::Error> {
    let numbers = Option::<Vec<Number>>::deserialize(deserializer)?.unwrap_or_default();
    let counts: Option<Vec<u64>> = numbers.into_iter().map(|number| natural(Some(number))).collect();
    counts.ok_or_else(|| D::Error::custom(COUNT))
}

fn natural(number: Option<Number>) -> Option<u64> {
    match number {
        None => Some(0),
        Some(Number::Unsigned(number)) => Some(number),
        // JavaScript writes them as 1.7e18.
        Some(Number::Float(number)) => (0.0..1.8e19).contains(&number).then_some(number as u64),
        Some(Number::Text(text)) if text.trim().is_empty() => Some(0),
        Some(Number::Text(text)) => text.trim().parse().ok(),
    }
}

pub(super) fn signed<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    let Some(value) = Option::<Value>::deserialize(deserializer)? else { return Ok(None) };
    let number = value.as_i64().or_else(|| value.as_f64().filter(|number| number.abs() < 9e18).map(|it| it as i64));
    let number = number.or_else(|| value.as_str()?.trim().parse().ok());
    number.map(Some).ok_or_else(|| D::Error::custom("expected a whole number, as a number or as digits in a text"))
}

pub(super) fn float<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<f64>, D::Error> {
    let Some(value) = Option::<Value>::deserialize(deserializer)? else { return Ok(None) };
    real(&value).map(Some).ok_or_else(|| D::Error::custom("expected a number"))
}

pub(super) fn floats<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<f64>, D::Error> {
    let values = Option::<Vec<Value>>::deserialize(deserializer)?.unwrap_or_default();
    let numbers: Option<Vec<f64>> = values.iter().map(real).collect();
    numbers.ok_or_else(|| D::Error::custom("expected a list of numbers"))
}

/// Protobuf's JSON writes what JSON has no number for as `"NaN"`, `"Infinity"` and `"-Infinity"`.
fn real(value: &Value) -> Option<f64> {
    value.as_f64().or_else(|| value.as_str()?.trim().parse().ok())
}

pub(super) fn temporality<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, "AGGREGATION_TEMPORALITY_", &["UNSPECIFIED", "DELTA", "CUMULATIVE"])
}

#[rustfmt::skip]
const SEVERITIES: &[&str] = &[
    "UNSPECIFIED", "TRACE", "TRACE2", "TRACE3", "TRACE4", "DEBUG", "DEBUG2", "DEBUG3", "DEBUG4",
    "INFO", "INFO2", "INFO3", "INFO4", "WARN", "WARN2", "WARN3", "WARN4",
    "ERROR", "ERROR2", "ERROR3", "ERROR4", "FATAL", "FATAL2", "FATAL3", "FATAL4",
];

pub(super) fn severity<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i32, D::Error> {
    enumeration(deserializer, "SEVERITY_NUMBER_", SEVERITIES)
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
    real(value).map_or_else(
        || Any::Text(value.as_str().map_or_else(|| value.to_string(), str::to_owned).into_bytes()),
        Any::Double,
    )
}
