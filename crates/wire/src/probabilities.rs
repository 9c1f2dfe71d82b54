//! Where an answer tells its text again, token by token with its probability: who changes the text must not leave that.

use std::ops::Range;

use crate::json::{Body, Node, Path};

/// Their names in every dialect.
const NAMES: &[&str] = &["logprobs", "logprobsResult", "logprobs_result"];

/// The edits for [`splice`](crate::splice) that take them out of an answer, or of one event of a stream.
#[must_use]
pub fn without_probabilities(bytes: &[u8]) -> Vec<(Range<usize>, Vec<u8>)> {
    let mut found = Vec::new();
    if let Ok(body) = Body::parse(bytes) {
        walk(&body, body.root(), &mut found);
    }
    found
}

fn walk(body: &Body<'_>, node: Node<'_>, found: &mut Vec<(Range<usize>, Vec<u8>)>) {
    if node.is_list() {
        node.list(Path::Root).into_iter().flatten().for_each(|item| walk(body, item, found));
        return;
    }
    // A field that stands twice is refused elsewhere.
    let Some(fields) = node.is_object().then(|| node.object(Path::Root).ok()).flatten() else { return };
    for (name, node) in fields.iter() {
        match name {
            name if NAMES.contains(&name) && node.is_list() => found.push((body.range(node), b"[]".to_vec())),
            name if NAMES.contains(&name) && node.is_object() => found.push((body.range(node), b"null".to_vec())),
            // Schemas and arguments may call their fields anything.
            "tools" | "parameters" | "arguments" | "args" | "input" => {}
            _ => walk(body, node, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialects_are_found_and_nothing_else() {
        let check = |body: &str, expect: &str| {
            let edits = without_probabilities(body.as_bytes());
            let bytes = crate::splice(&bytes::Bytes::copy_from_slice(body.as_bytes()), &edits);
            assert_eq!(std::str::from_utf8(&bytes).unwrap(), expect);
        };
        check(
            r#"{"choices":[{"logprobs":{"content":[{"token":"a"}]},"text":"a"},{"logprobs":null}]}"#,
            r#"{"choices":[{"logprobs":null,"text":"a"},{"logprobs":null}]}"#,
        );
        check(
            r#"{"output":[{"content":[{"text":"a","logprobs":[{"token":"a"}]}]}],"tools":[{"logprobs":{}}]}"#,
            r#"{"output":[{"content":[{"text":"a","logprobs":[]}]}],"tools":[{"logprobs":{}}]}"#,
        );
        check(
            r#"{"candidates":[{"logprobsResult":{"chosenCandidates":[]}}]}"#,
            r#"{"candidates":[{"logprobsResult":null}]}"#,
        );
        check(r#"{"text":"logprobs"}"#, r#"{"text":"logprobs"}"#);
        check("no JSON", "no JSON");
    }
}
