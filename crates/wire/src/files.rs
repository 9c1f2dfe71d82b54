//! What stands in files that are uploaded in a form: texts, and lines of JSON as batches and fine-tuning have them.

use crate::along::Shape;
use crate::codec::TextSlot;
use crate::error::WireError;
use crate::multipart;

/// The texts of a form with files, and whether all of it could be read.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Files<'a> {
    /// In their order. Of a line of JSON every string is one, but for keys and data in Base64; of another text each line is.
    pub texts: Vec<TextSlot<'a>>,
    /// No file holds anything but text.
    pub is_all_text: bool,
}

/// Reads a form.
///
/// # Errors
/// It is none.
pub fn read(bytes: &[u8]) -> Result<Files<'_>, WireError> {
    let mut found = Files { texts: Vec::new(), is_all_text: true };
    for field in multipart::fields(bytes)? {
        let content = bytes.get(field.range.clone()).unwrap_or_default();
        // Text has no zeroes, whatever else is in it.
        if content.contains(&0) || std::str::from_utf8(content).is_err() {
            found.is_all_text = false;
            continue;
        }
        let mut start = field.range.start;
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            let shape = match Shape::of(None, line) {
                Shape::Json => Shape::Json,
                _ => Shape::Text,
            };
            let of_line = shape.texts(line)?.into_iter().filter(|slot| !slot.text.trim().is_empty());
            found.texts.extend(of_line.map(|slot| {
                let range = slot.range.start + start..slot.range.end + start;
                TextSlot { range, ..slot }
            }));
            start += line.len();
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(content: &[u8]) -> Vec<u8> {
        let head = b"--b\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"f\"\r\n\r\n";
        [head.as_slice(), content, b"\r\n--b--\r\n"].concat()
    }

    fn texts(content: &str) -> Vec<String> {
        let form = form(content.as_bytes());
        read(&form).unwrap().texts.iter().skip(1).map(|slot| slot.text.trim_end().to_owned()).collect()
    }

    #[test]
    fn reads_lines_of_json_and_of_text() {
        let lines =
            "{\"id\":\"a\",\"body\":{\"messages\":[{\"content\":\"x\\ny\"}]}}\n\n{\"prompt\":\"two\"}\n{\"broken\": \n";
        assert_eq!(texts(lines), ["a", "x\ny", "two", "{\"broken\":"]);
        assert_eq!(texts("first line\r\n\r\nsecond"), ["first line", "second"]);
        assert_eq!(texts("[\"one\", {\"k\": \"two\"}]"), ["one", "two"]);
        assert!(read(b"no form").is_err());
    }

    #[test]
    fn what_is_edited_stays_what_it_was() {
        let body = form(b"{\"a\":\"one\"}\n{\"a\":\"two\"}\nthree\n");
        let files = read(&body).unwrap();
        let edits: Vec<_> = files
            .texts
            .iter()
            .skip(1)
            .map(|slot| {
                let line_end = if slot.text.ends_with('\n') { "\n" } else { "" };
                slot.edit(&format!("[\"{}\"]{line_end}", slot.text.trim_end()))
            })
            .collect();
        let edited = crate::splice(&body.clone().into(), &edits);
        let expected = form(b"{\"a\":\"[\\\"one\\\"]\"}\n{\"a\":\"[\\\"two\\\"]\"}\n[\"three\"]\n");
        assert_eq!(edited, expected);
    }

    #[test]
    fn what_is_no_text_is_told() {
        assert!(read(&form(b"text")).unwrap().is_all_text);
        for content in [b"%PDF\x00".as_slice(), b"\xff\xfe"] {
            let body = form(content);
            let files = read(&body).unwrap();
            assert!(!files.is_all_text);
            assert_eq!(files.texts.len(), 1);
        }
    }
}
