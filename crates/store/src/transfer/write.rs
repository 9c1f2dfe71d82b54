//! Arrow columns as the text of JSON values and CSV fields.

use std::io::{self, Write as _};

use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray, MapArray,
    StringArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Decimal128Type, Float64Type, Int64Type, TimestampMicrosecondType};
use serde::de::IgnoredAny;
use signalbox_types::table::{Column, ColumnType};
use signalbox_types::{Money, Timestamp};

/// A column of a batch, by what it means.
pub(super) enum Values<'a> {
    Text(&'a StringArray),
    Json(&'a StringArray),
    TextList(&'a ListArray),
    TextMap(&'a MapArray),
    Int(&'a Int64Array),
    Float(&'a Float64Array),
    Money(&'a Decimal128Array),
    Bool(&'a BooleanArray),
    Time(&'a TimestampMicrosecondArray),
}

impl<'a> Values<'a> {
    pub(super) fn of(column: &Column, array: &'a ArrayRef) -> io::Result<Self> {
        let values = match column.ty {
            ColumnType::Text => array.as_string_opt().map(Self::Text),
            ColumnType::Json => array.as_string_opt().map(Self::Json),
            ColumnType::TextList => array.as_list_opt().map(Self::TextList),
            ColumnType::TextMap => array.as_map_opt().map(Self::TextMap),
            ColumnType::Int => array.as_primitive_opt::<Int64Type>().map(Self::Int),
            ColumnType::Float => array.as_primitive_opt::<Float64Type>().map(Self::Float),
            ColumnType::Money => array.as_primitive_opt::<Decimal128Type>().map(Self::Money),
            ColumnType::Bool => array.as_boolean_opt().map(Self::Bool),
            ColumnType::Time => array.as_primitive_opt::<TimestampMicrosecondType>().map(Self::Time),
        };
        values.ok_or_else(|| io::Error::other(format!("column `{}` holds {}", column.name, array.data_type())))
    }

    fn is_null(&self, row: usize) -> bool {
        match self {
            Self::Text(array) | Self::Json(array) => array.is_null(row),
            Self::TextList(array) => array.is_null(row),
            Self::TextMap(array) => array.is_null(row),
            Self::Int(array) => array.is_null(row),
            Self::Float(array) => array.is_null(row),
            Self::Money(array) => array.is_null(row),
            Self::Bool(array) => array.is_null(row),
            Self::Time(array) => array.is_null(row),
        }
    }

    /// As a JSON value on one line.
    pub(super) fn write_json(&self, out: &mut Vec<u8>, row: usize) -> io::Result<()> {
        if self.is_null(row) {
            return out.write_all(b"null");
        }
        match self {
            Self::Text(array) => Ok(serde_json::to_writer(out, array.value(row))?),
            Self::Json(array) => write_raw(out, array.value(row)),
            Self::TextList(array) => write_list(out, &array.value(row)),
            Self::TextMap(array) => write_map(out, array, row),
            Self::Int(array) => write!(out, "{}", array.value(row)),
            // NaN and the infinities have no JSON.
            Self::Float(array) => Ok(serde_json::to_writer(out, &array.value(row))?),
            Self::Money(array) => write!(out, "{}", Money::from_picos(array.value(row))),
            Self::Bool(array) => write!(out, "{}", array.value(row)),
            Self::Time(array) => write!(out, "\"{}\"", Timestamp::from_micros(array.value(row))),
        }
    }

    /// As a CSV field. What is absent is nothing at all; an empty text is `""`.
    pub(super) fn write_csv(&self, out: &mut Vec<u8>, scratch: &mut Vec<u8>, row: usize) -> io::Result<()> {
        if self.is_null(row) {
            return Ok(());
        }
        match self {
            Self::Text(array) | Self::Json(array) => quote(out, array.value(row).as_bytes()),
            Self::TextList(_) | Self::TextMap(_) => {
                scratch.clear();
                self.write_json(scratch, row)?;
                quote(out, scratch)
            }
            Self::Time(array) => write!(out, "{}", Timestamp::from_micros(array.value(row))),
            Self::Float(array) => write!(out, "{}", array.value(row)),
            Self::Int(_) | Self::Money(_) | Self::Bool(_) => self.write_json(out, row),
        }
    }
}

/// A field, in quotes if it needs them.
pub(super) fn quote(out: &mut Vec<u8>, field: &[u8]) -> io::Result<()> {
    let plain = !field.is_empty() && !field.iter().any(|byte| matches!(byte, b',' | b'"' | b'\n' | b'\r'));
    // Readers trim blanks that stand outside of quotes.
    let trimmed =
        field.first().is_some_and(u8::is_ascii_whitespace) || field.last().is_some_and(u8::is_ascii_whitespace);
    if plain && !trimmed {
        return out.write_all(field);
    }
    out.push(b'"');
    for part in field.split_inclusive(|byte| *byte == b'"') {
        out.extend_from_slice(part);
        if part.ends_with(b"\"") {
            out.push(b'"');
        }
    }
    out.push(b'"');
    Ok(())
}

/// JSON text as it is; anything else as a JSON text.
fn write_raw(out: &mut Vec<u8>, text: &str) -> io::Result<()> {
    if serde_json::from_str::<IgnoredAny>(text).is_err() {
        return Ok(serde_json::to_writer(out, text)?);
    }
    // Outside of texts a line break in JSON is a blank; inside of them it can't stand.
    out.extend(text.bytes().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { byte }));
    Ok(())
}

fn write_list(out: &mut Vec<u8>, items: &ArrayRef) -> io::Result<()> {
    let items = items.as_string_opt::<i32>().ok_or_else(|| io::Error::other("a list of something else than texts"))?;
    out.push(b'[');
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, &item)?;
    }
    out.push(b']');
    Ok(())
}

fn write_map(out: &mut Vec<u8>, map: &MapArray, row: usize) -> io::Result<()> {
    let entries = map.value(row);
    let texts = |i| {
        let column: &ArrayRef = entries.column(i);
        column.as_string_opt::<i32>().ok_or_else(|| io::Error::other("a map of something else than texts"))
    };
    let (keys, values) = (texts(0)?, texts(1)?);
    out.push(b'{');
    for (i, (key, value)) in keys.iter().zip(values).enumerate() {
        if i > 0 {
            out.push(b',');
        }
        serde_json::to_writer(&mut *out, key.unwrap_or_default())?;
        out.push(b':');
        serde_json::to_writer(&mut *out, &value)?;
    }
    out.push(b'}');
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quoted(field: &str) -> String {
        let mut out = Vec::new();
        quote(&mut out, field.as_bytes()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn fields_are_quoted_when_they_must_be() {
        assert_eq!(quoted("plain"), "plain");
        assert_eq!(quoted(""), "\"\"");
        assert_eq!(quoted("a,b"), "\"a,b\"");
        assert_eq!(quoted("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(quoted("two\nlines"), "\"two\nlines\"");
        assert_eq!(quoted(" blank"), "\" blank\"");
    }

    #[test]
    fn json_stays_on_one_line() {
        let check = |text: &str, expected: &str| {
            let mut out = Vec::new();
            write_raw(&mut out, text).unwrap();
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        };
        check("{\"a\":\n 1}", "{\"a\":  1}");
        check("1.50", "1.50");
        check("no JSON\n", "\"no JSON\\n\"");
    }
}
