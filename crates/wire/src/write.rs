//! Writing JSON straight into bytes, without a tree.

use bytes::Bytes;
use serde::Serialize;

/// A JSON text that grows. Objects and lists are closures, so that they are always closed.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    /// Something stands before the next item, so that it needs a comma.
    comma: bool,
}

impl Writer {
    /// The bytes of one object.
    pub(crate) fn write(fields: impl FnOnce(&mut Self)) -> Vec<u8> {
        let mut writer = Self::default();
        writer.object(fields);
        writer.out
    }

    /// The bytes of one object that may turn out to be impossible.
    pub(crate) fn try_write<E>(fields: impl FnOnce(&mut Self) -> Result<(), E>) -> Result<Bytes, E> {
        let mut result = Ok(());
        let bytes = Self::write(|writer| result = fields(writer));
        result.map(|()| bytes.into())
    }

    /// An item of a list: any value.
    pub(crate) fn item<T: Serialize + ?Sized>(&mut self, value: &T) {
        self.separate();
        self.value(value);
    }

    /// An item of a list: an object. Also the root.
    pub(crate) fn object(&mut self, fields: impl FnOnce(&mut Self)) {
        self.separate();
        self.nest(b'{', b'}', fields);
    }

    pub(crate) fn field<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.name(name);
        self.value(value);
    }

    /// A field that is left out where there is nothing to say.
    pub(crate) fn field_if<T: Serialize>(&mut self, name: &str, value: Option<T>) {
        if let Some(value) = value {
            self.field(name, &value);
        }
    }

    /// A field whose value is JSON already.
    pub(crate) fn raw_field(&mut self, name: &str, json: &[u8]) {
        self.name(name);
        self.out.extend_from_slice(json);
        self.comma = true;
    }

    pub(crate) fn object_field(&mut self, name: &str, fields: impl FnOnce(&mut Self)) {
        self.name(name);
        self.nest(b'{', b'}', fields);
    }

    pub(crate) fn list_field(&mut self, name: &str, items: impl FnOnce(&mut Self)) {
        self.name(name);
        self.nest(b'[', b']', items);
    }

    fn nest(&mut self, open: u8, close: u8, inside: impl FnOnce(&mut Self)) {
        self.out.push(open);
        self.comma = false;
        inside(self);
        self.out.push(close);
        self.comma = true;
    }

    fn name(&mut self, name: &str) {
        self.separate();
        self.value(name);
        self.out.push(b':');
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) {
        // Fails only for maps whose keys are no strings, which no dialect has.
        let written = serde_json::to_writer(&mut self.out, value);
        debug_assert!(written.is_ok(), "{written:?}");
        self.comma = true;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn puts_commas_where_they_belong() {
        let bytes = Writer::write(|w| {
            w.field("a", "x\"y");
            w.field_if("none", None::<u64>);
            w.list_field("list", |w| {
                w.object(|_| {});
                w.item(&1);
                w.object(|w| w.field("b", &true));
            });
            w.object_field("o", |w| w.list_field("empty", |_| {}));
            w.field("z", &());
        });
        let expect = r#"{"a":"x\"y","list":[{},1,{"b":true}],"o":{"empty":[]},"z":null}"#;
        assert_eq!(String::from_utf8(bytes).unwrap(), expect);
    }
}
