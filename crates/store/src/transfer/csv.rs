//! RFC 4180, read piece by piece. A field knows whether it stood in quotes: `""` is an empty text,
//! nothing at all is nothing.

/// A field of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Field {
    pub(super) bytes: Vec<u8>,
    pub(super) quoted: bool,
}

/// A row of fields and the line on which it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) fields: Vec<Field>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FieldStart,
    Plain,
    Quoted,
    /// After a quote within quotes: the end of the field, or half of a quote.
    QuoteSeen,
}

/// Cuts bytes into records.
#[derive(Debug)]
pub(super) struct Reader {
    at: At,
    line: u64,
    began: u64,
    bytes: usize,
    field: Field,
    fields: Vec<Field>,
}

impl Default for Reader {
    fn default() -> Self {
        Self { at: At::FieldStart, line: 1, began: 1, bytes: 0, field: Field::default(), fields: Vec::new() }
    }
}

impl Reader {
    /// Bytes of the record that is being read.
    pub(super) fn pending(&self) -> usize {
        self.bytes
    }

    /// The line that is being read.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// Takes a byte; gives the record that it ends.
    pub(super) fn push(&mut self, byte: u8) -> Option<Record> {
        self.bytes += 1;
        let ended = match (self.at, byte) {
            (At::Quoted, b'"') => {
                self.at = At::QuoteSeen;
                None
            }
            (At::Quoted, _) => self.keep(byte),
            (At::QuoteSeen, b'"') => {
                self.at = At::Quoted;
                self.keep(byte)
            }
            (At::FieldStart, b'"') => {
                self.field.quoted = true;
                self.at = At::Quoted;
                None
            }
            (_, b',') => {
                self.end_field();
                None
            }
            (_, b'\n') => self.end_record(),
            // The first half of a line's end.
            (_, b'\r') => None,
            (_, _) => {
                self.at = At::Plain;
                self.keep(byte)
            }
        };
        if byte == b'\n' {
            self.line += 1;
            if ended.is_some() || self.fields.is_empty() && self.field == Field::default() {
                self.began = self.line;
            }
        }
        ended
    }

    /// The last record, if no line's end came after it; an error if it ends within quotes.
    pub(super) fn finish(&mut self) -> Result<Option<Record>, u64> {
        if self.at == At::Quoted {
            return Err(self.began);
        }
        Ok(self.end_record())
    }

    fn keep(&mut self, byte: u8) -> Option<Record> {
        self.field.bytes.push(byte);
        None
    }

    fn end_field(&mut self) {
        self.fields.push(std::mem::take(&mut self.field));
        self.at = At::FieldStart;
    }

    fn end_record(&mut self) -> Option<Record> {
        self.bytes = 0;
        // An empty line is no record.
        if self.fields.is_empty() && self.field == Field::default() {
            self.at = At::FieldStart;
            return None;
        }
        self.end_field();
        Some(Record { line: self.began, fields: std::mem::take(&mut self.fields) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Vec<(u64, Vec<String>)> {
        let mut reader = Reader::default();
        let mut records: Vec<Record> = text.bytes().filter_map(|byte| reader.push(byte)).collect();
        records.extend(reader.finish().unwrap());
        let show = |field: &Field| {
            let text = String::from_utf8(field.bytes.clone()).unwrap();
            if field.quoted { format!("<{text}>") } else { text }
        };
        records.iter().map(|record| (record.line, record.fields.iter().map(show).collect())).collect()
    }

    #[test]
    fn fields_lines_and_quotes() {
        let check = |text: &str, expected: &[(u64, &[&str])]| {
            let expected: Vec<(u64, Vec<String>)> = expected
                .iter()
                .map(|(line, fields)| (*line, fields.iter().map(|f| (*f).to_owned()).collect()))
                .collect();
            assert_eq!(read(text), expected, "{text:?}");
        };
        check("a,b\n1,2\n", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("a,b\r\n1,2", &[(1, &["a", "b"]), (2, &["1", "2"])]);
        check("\"x,\"\"y\"\"\n\",\"\",\nz,,", &[(1, &["<x,\"y\"\n>", "<>", ""]), (3, &["z", "", ""])]);
        check("\n\na\n", &[(3, &["a"])]);
        let mut reader = Reader::default();
        assert!("a\n\"b".bytes().filter_map(|byte| reader.push(byte)).count() == 1);
        assert_eq!(reader.finish(), Err(2));
    }
}
