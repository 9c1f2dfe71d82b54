//! Attributes that spell a structure in their names: `llm.input_messages.0.message.role`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::Attributes;

/// Deeper names are nobody's.
const MAX_DEPTH: usize = 24;

enum Node {
    Leaf(Value),
    Branch(BTreeMap<String, Node>),
}

/// The structure under a prefix (that ends in a dot). Numbered names become a list in the order of
/// their numbers, whatever is missing between them.
pub(crate) fn unflatten(attributes: &Attributes, prefix: &str) -> Option<Value> {
    let mut root = BTreeMap::new();
    for (name, value) in attributes.under(prefix) {
        let path: Vec<&str> = name.split('.').collect();
        if path.len() <= MAX_DEPTH {
            insert(&mut root, &path, value);
        }
    }
    (!root.is_empty()).then(|| build(Node::Branch(root)))
}

fn insert(branch: &mut BTreeMap<String, Node>, path: &[&str], value: &Value) {
    match path {
        [] => {}
        [name] => {
            branch.entry((*name).to_owned()).or_insert_with(|| Node::Leaf(value.clone()));
        }
        [name, rest @ ..] => {
            let node = branch.entry((*name).to_owned()).or_insert_with(|| Node::Branch(BTreeMap::new()));
            // `a` and `a.b` can't both be: the structure says more.
            if let Node::Leaf(_) = node {
                *node = Node::Branch(BTreeMap::new());
            }
            if let Node::Branch(children) = node {
                insert(children, rest, value);
            }
        }
    }
}

fn build(node: Node) -> Value {
    let children = match node {
        Node::Leaf(value) => return value,
        Node::Branch(children) => children,
    };
    let mut numbered: Vec<(u64, &String)> = Vec::with_capacity(children.len());
    for name in children.keys() {
        match name.parse() {
            Ok(number) => numbered.push((number, name)),
            Err(_) => {
                return Value::Object(
                    children.into_iter().map(|(name, node)| (name, build(node))).collect::<Map<_, _>>(),
                );
            }
        }
    }
    numbered.sort();
    let order: Vec<String> = numbered.into_iter().map(|(_, name)| name.clone()).collect();
    let mut children = children;
    Value::Array(order.iter().filter_map(|name| children.remove(name)).map(build).collect())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn structures() {
        let attributes: Attributes = [
            ("m.10.message.role", json!("tool")),
            ("m.2.message.role", json!("user")),
            ("m.2.message.contents.0.text", json!("hi")),
            ("m.2.message.contents.4000000000.text", json!("there")),
            ("m.2.message.role.odd", json!("x")),
            ("n", json!(1)),
        ]
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value))
        .collect();
        assert_eq!(
            unflatten(&attributes, "m."),
            Some(json!([
                {"message": {"contents": [{"text": "hi"}, {"text": "there"}], "role": {"odd": "x"}}},
                {"message": {"role": "tool"}},
            ]))
        );
        assert_eq!(unflatten(&attributes, "x."), None);
    }
}
