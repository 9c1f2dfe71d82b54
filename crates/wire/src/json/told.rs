//! What definitions of tools and schemas tell a model.

use super::Node;
use super::walk::texts_by_key;

/// Keys of a schema whose values are free text, however short. Titles are names, most of them.
const TOLD: &[&str] = &["description", "default", "const", "example", "$comment"];

/// Whether a string is of three words or more, or of a script that may have no spaces: names, formats, paths and most
/// values to choose are not.
fn says_something(text: &str) -> bool {
    text.split_whitespace().nth(2).is_some() || text.chars().filter(|c| !c.is_ascii()).nth(5).is_some()
}

impl<'a> Node<'a> {
    /// What a model reads of a tool and, wherever they are nested in its schema, of its arguments: each string whose key
    /// is one of [`TOLD`], and each other one that says something, such as a value to choose; of keys that stand
    /// twice both.
    pub(crate) fn descriptions(self) -> Vec<Node<'a>> {
        let is_told = |key: Option<&'a str>| key.is_some_and(|key| TOLD.contains(&&*Node(key).unescape()));
        let texts = texts_by_key(self.0).map(|(key, text)| (key, Node(text)));
        texts.filter(|(key, text)| is_told(*key) || says_something(&text.unescape())).map(|(_, text)| text).collect()
    }
}
