//! How what stands at a byte of a body is called there.

use super::{Body, Node, Path};
use crate::fields::is_read;

/// Deeper than any dialect nests its texts.
const MOST_STEPS: usize = 24;

/// The field in which this byte of a body stands, e.g. `messages[2].content`; of fields that no dialect has, whose names
/// may be anything, the one around them. `None` if the body is no JSON, or the byte stands in no field.
#[must_use]
pub fn field_at(body: &[u8], at: usize) -> Option<String> {
    let body = Body::parse(body).ok()?;
    name(&body, body.root(), at, Path::Root)
}

fn name<'a>(body: &Body<'a>, node: Node<'a>, at: usize, path: Path<'_>) -> Option<String> {
    let holds = |node: Node<'a>| body.range(node).contains(&at);
    if path.depth() < MOST_STEPS {
        if node.is_list()
            && let Some((index, inner)) = node.list(path).ok()?.into_iter().enumerate().find(|(_, inner)| holds(*inner))
        {
            return name(body, inner, at, path.index(index));
        }
        if node.is_object()
            && let Some((field, inner)) = node.fields().into_iter().find(|(_, inner)| holds(*inner))
            && is_read(&field)
        {
            return name(body, inner, at, path.key(&field));
        }
    }
    (path.depth() > 0).then(|| path.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_called_as_callers_know_them() {
        let body = r#"{"model":"m","messages":[{"role":"user","content":"one"},{"content":[{"text":"two"}]}],
            "metadata":{"anything at all":"three"},"x":"four"}"#;
        let called = |text: &str| field_at(body.as_bytes(), body.find(text).unwrap());
        assert_eq!(called("one").unwrap(), "messages[0].content");
        assert_eq!(called("two").unwrap(), "messages[1].content[0].text");
        assert_eq!(called("three").unwrap(), "metadata");
        assert_eq!(called("four"), None);
        let twice = br#"{"tools":[{"function":{"type":1,"type":2,"description":"five"}}]}"#;
        assert_eq!(field_at(twice, twice.len() - 10).unwrap(), "tools[0].function.description");
        assert_eq!(field_at(b"no JSON", 3), None);
        let deep = format!("{}1{}", r#"{"input":["#.repeat(40), "]}".repeat(40));
        assert!(field_at(deep.as_bytes(), deep.find('1').unwrap()).is_some_and(|field| field.len() < 200));
    }
}
