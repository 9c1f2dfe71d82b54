//! Forms with files (`multipart/form-data`, RFC 7578): where their fields stand.

use std::ops::Range;

use memchr::memmem;

use crate::error::WireError;

/// A field of a form.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Field<'a> {
    pub(crate) name: &'a str,
    pub(crate) is_file: bool,
    /// Its content.
    pub(crate) range: Range<usize>,
}

/// The fields in order. The boundary is what the body begins with: nobody writes anything before it, and a provider that
/// believed another one would see what we didn't.
pub(crate) fn fields(body: &[u8]) -> Result<Vec<Field<'_>>, WireError> {
    let invalid = |found: &str| WireError::Invalid {
        field: "body".into(),
        expected: "a form of the type multipart/form-data",
        found: found.into(),
    };
    let first = memmem::find(body, b"\r\n").filter(|_| body.starts_with(b"--"));
    let Some(first) = first else { return Err(invalid("something else")) };
    // Every other one stands at the start of a line.
    let boundary = [b"\r\n", body.get(..first).unwrap_or_default()].concat();
    let finder = memmem::Finder::new(&boundary);
    let mut fields: Vec<Field<'_>> = Vec::new();
    let mut at = first;
    loop {
        let rest = body.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(fields);
        }
        if !rest.starts_with(b"\r\n") {
            return Err(invalid("one that goes on after its boundary"));
        }
        let head = memmem::find(rest, b"\r\n\r\n").ok_or_else(|| invalid("one whose field has no content"))?;
        let start = at + head + 4;
        let content = body.get(start..).unwrap_or_default();
        let end = start + finder.find(content).ok_or_else(|| invalid("one that breaks off"))?;
        let (name, is_file) = disposition(rest.get(..head).unwrap_or_default())
            .ok_or_else(|| invalid("one with a field that has no name"))?;
        if fields.iter().any(|field| field.name == name && !name.ends_with("[]")) {
            return Err(WireError::Duplicate { field: name.to_owned() });
        }
        fields.push(Field { name, is_file, range: start..end });
        at = end + boundary.len();
    }
}

/// Name, and whether it is a file. None where two readers could read two names.
fn disposition(head: &[u8]) -> Option<(&str, bool)> {
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head
        .split("\r\n")
        .filter(|line| line.get(..20).is_some_and(|start| start.eq_ignore_ascii_case("content-disposition:")));
    let (line, None) = (lines.next()?, lines.next()) else { return None };
    let mut rest = line.split_once(';')?.1;
    let mut name = None;
    let mut is_file = false;
    while !rest.trim().is_empty() {
        let (key, value) = rest.split_once('=')?;
        let value = value.trim_start();
        let (value, behind) = match value.strip_prefix('"') {
            Some(quoted) => quoted.split_at_checked(closing_quote(quoted)?)?,
            None => value.split_at_checked(value.find(';').unwrap_or(value.len()))?,
        };
        match key.trim().to_ascii_lowercase().as_str() {
            "name" if name.is_some() || value.contains('\\') => return None,
            "name" => name = Some(value.trim_end()),
            // In another encoding, which not everybody reads.
            "name*" => return None,
            "filename" | "filename*" => is_file = true,
            _ => {}
        }
        let behind = behind.strip_prefix('"').unwrap_or(behind).trim_start();
        rest = match behind.strip_prefix(';') {
            Some(rest) => rest,
            None if behind.is_empty() => behind,
            None => return None,
        };
    }
    Some((name.filter(|name| !name.is_empty())?, is_file))
}

fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.bytes().position(|byte| {
        let closes = byte == b'"' && !escaped;
        escaped = byte == b'\\' && !escaped;
        closes
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(body: &str) -> Vec<(&str, bool, &str)> {
        let all = fields(body.as_bytes()).unwrap_or_else(|error| panic!("{error}: {body:?}"));
        all.into_iter().map(|field| (field.name, field.is_file, body.get(field.range).unwrap())).collect()
    }

    const FORM: &str = "--xYz\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nwhisper-1\r\n--xYz\r\n\
                        content-disposition: form-data; name=\"file\"; filename=\"a;b.wav\"\r\nContent-Type: audio/wav\r\n\r\n\
                        RI\r\nFF--xYz\r\n\r\n--xYz\r\nContent-Disposition: form-data; name=empty\r\n\r\n\r\n--xYz--\r\n";

    #[test]
    fn finds_every_field() {
        let expected = [("model", false, "whisper-1"), ("file", true, "RI\r\nFF--xYz\r\n"), ("empty", false, "")];
        assert_eq!(read(FORM), expected);
    }

    #[test]
    fn quoted_parameters_hide_no_name() {
        let one = |disposition: &str| {
            let form = format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\nx\r\n--b--");
            read(&form).into_iter().map(|(name, is_file, _)| (name.to_owned(), is_file)).collect::<Vec<_>>()
        };
        assert_eq!(one("name=\"prompt\"; x=\"; name=other\""), [("prompt".to_owned(), false)]);
        assert_eq!(one("filename=\"a\\\"; name=b\"; name=file"), [("file".to_owned(), true)]);
    }

    #[test]
    fn says_what_is_wrong() {
        let check = |body: &str, expect: &str| {
            let told = fields(body.as_bytes()).unwrap_err().to_string();
            assert!(told.contains(expect), "{told}");
        };
        check("{\"model\":\"m\"}", "expected a form");
        check("", "expected a form");
        check("--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx", "breaks off");
        check("--b\r\nContent-Type: text/plain\r\n\r\nx\r\n--b--", "no name");
        for disposition in [
            "name=\"prompt\"; x=\"; name=other\"; name=\"other\"",
            "name=\"prom\\pt\"",
            "name*=utf-8''prompt",
            "name=\"prompt\" other",
            "name=\"a\"\r\nContent-Disposition: form-data; name=\"prompt\"",
            "name=\"open",
        ] {
            check(&format!("--b\r\nContent-Disposition: form-data; {disposition}\r\n\r\nx\r\n--b--"), "no name");
        }
        let twice = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nx\r\n";
        check(&format!("{twice}{twice}--b--"), "`a` stands twice");
    }

    #[test]
    fn no_cut_of_a_form_is_taken_for_a_whole_one() {
        let whole = fields(FORM.as_bytes()).unwrap();
        for end in 0..FORM.len() {
            if let Ok(found) = fields(&FORM.as_bytes()[..end]) {
                assert_eq!(found, whole, "cut at {end}");
            }
        }
    }
}
