//! The texts of a JSON value.

use std::cell::RefCell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Calls `each` with every text in a JSON value, in order: strings, and whole numbers under a key. Keys
/// are no content, nor are the words by which the conventions for messages name roles and kinds of
/// parts. What isn't JSON is taken as it stands.
pub fn each_text(json: &str, each: &mut dyn FnMut(&str)) {
    each_text_at(Place::Top, json, each);
}

/// The same of one message of a list.
pub fn each_text_of_message(json: &str, each: &mut dyn FnMut(&str)) {
    each_text_at(Place::Message, json, each);
}

fn each_text_at(place: Place, json: &str, each: &mut dyn FnMut(&str)) {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let sink = RefCell::new(each);
    let whole = Value { place, keyed: false, sink: &sink }.deserialize(&mut deserializer);
    if whole.and_then(|()| deserializer.end()).is_err() {
        (sink.borrow_mut())(json);
    }
}

/// Where a value stands in `[{role, parts: [{type, …}]}]`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Top,
    Message,
    Parts,
    Part,
    Content,
}

struct Value<'a, 'b> {
    place: Place,
    keyed: bool,
    sink: &'a RefCell<&'b mut dyn FnMut(&str)>,
}

impl Value<'_, '_> {
    fn at(&self, place: Place, keyed: bool) -> Self {
        Value { place, keyed, sink: self.sink }
    }

    fn number(&self, number: impl fmt::Display) {
        if self.keyed {
            (self.sink.borrow_mut())(&number.to_string());
        }
    }
}

fn is_form(place: Place, key: &str) -> bool {
    match place {
        Place::Message => matches!(key, "role" | "finish_reason"),
        Place::Part => matches!(key, "type" | "modality" | "mime_type" | "signature" | "encrypted"),
        _ => false,
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        (self.sink.borrow_mut())(text);
        Ok(())
    }

    fn visit_u64<E>(self, number: u64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    fn visit_i64<E>(self, number: i64) -> Result<(), E> {
        self.number(number);
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        let place = match self.place {
            Place::Top => Place::Message,
            Place::Parts => Place::Part,
            _ => Place::Content,
        };
        while items.next_element_seed(self.at(place, false))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<(), A::Error> {
        while let Some(key) = fields.next_key::<std::borrow::Cow<'de, str>>()? {
            if is_form(self.place, &key) {
                fields.next_value::<IgnoredAny>()?;
                continue;
            }
            let parts = self.place == Place::Message && key == "parts";
            fields.next_value_seed(self.at(if parts { Place::Parts } else { Place::Content }, true))?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(json: &str, expected: &[&str]) {
        let mut found = Vec::new();
        each_text(json, &mut |text| found.push(text.to_owned()));
        assert_eq!(found, expected, "{json}");
    }

    #[test]
    fn texts_only() {
        check(r#""a\n\u00fc""#, &["a\nü"]);
        check(r#"{"key":"value","n":[1,2.5,true,null,"x"],"order":4711,"debt":-3}"#, &["value", "x", "4711", "-3"]);
        check(
            r#"[{"role":"user","parts":[{"type":"text","content":"hi"},{"type":"tool_call","id":"c1","name":"f","arguments":{"type":"refund"}}],"finish_reason":"stop"}]"#,
            &["hi", "c1", "f", "refund"],
        );
        check(r#"{"type":"refund"}"#, &["refund"]);
        let mut found = Vec::new();
        let message = r#"{"role":"user","parts":[{"type":"text","content":"hi"}]}"#;
        each_text_of_message(message, &mut |text| found.push(text.to_owned()));
        assert_eq!(found, ["hi"]);
    }

    #[test]
    fn what_is_not_json_stays_text() {
        check("plain words", &["plain words"]);
        check(r#"["cut"#, &[r#"["cut"#]);
        check(&"[".repeat(500), &[&"[".repeat(500)]);
    }
}
