//! Where a configuration comes from, and what of it is in force only from the start of the process on.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::PathBuf;

use serde_json::{Map, Value};

/// Sections that only a restart changes.
const FIXED: [&str; 4] = ["evals", "ingest", "server", "store"];
/// Limits of the gateway that only a restart changes.
const FIXED_LIMITS: [&str; 4] = ["kept_ids_days", "max_kept_ids", "max_model_labels", "settle_queue"];

/// Where a configuration comes from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Origin {
    /// The file; none if nobody shall look at it again.
    pub(crate) file: Option<PathBuf>,
    /// There was such a file.
    pub(crate) is_there: bool,
    /// What it says of what only a restart changes.
    fixed: Map<String, Value>,
    /// What each section says, as a number: it may hold secrets.
    sections: BTreeMap<String, u64>,
}

impl Origin {
    /// Of a text; which file it stands in is told later.
    pub(super) fn of(document: &Value) -> Self {
        let section = |name: &str| document.get(name).cloned().map(|section| (name.to_owned(), section));
        let mut fixed: Map<_, _> = FIXED.into_iter().filter_map(section).collect();
        if let Some(Value::Object(limits)) = document.get("gateway") {
            let of = |name: &str| limits.get(name).cloned().map(|limit| (name.to_owned(), limit));
            fixed.insert("gateway".to_owned(), Value::Object(FIXED_LIMITS.into_iter().filter_map(of).collect()));
        }
        let sections = document.as_object().into_iter().flatten();
        let sections = sections.map(|(name, section)| {
            let mut hasher = DefaultHasher::new();
            section.to_string().hash(&mut hasher);
            (name.clone(), hasher.finish())
        });
        Self { fixed, sections: sections.collect(), ..Self::default() }
    }

    /// The sections that a newer one changes.
    pub(crate) fn changed(&self, newer: &Self) -> Vec<String> {
        let names: BTreeSet<&String> = self.sections.keys().chain(newer.sections.keys()).collect();
        names.into_iter().filter(|name| self.sections.get(*name) != newer.sections.get(*name)).cloned().collect()
    }

    /// The fields that a newer one changes and only a restart brings into force.
    pub(crate) fn needs_restart(&self, newer: &Self) -> Vec<String> {
        let mut fields = Vec::new();
        differences("", &Value::Object(self.fixed.clone()), &Value::Object(newer.fixed.clone()), &mut fields);
        fields
    }
}

/// The paths of the values that differ. What is not there is an empty section.
fn differences(path: &str, one: &Value, other: &Value, fields: &mut Vec<String>) {
    let (Value::Object(one), Value::Object(other)) = (one, other) else {
        if one != other {
            fields.push(path.to_owned());
        }
        return;
    };
    let nothing = Value::Object(Map::new());
    let names = one.keys().chain(other.keys().filter(|name| !one.contains_key(*name)));
    for name in names {
        let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
        let of = |section: &Map<String, Value>| section.get(name).cloned();
        match (of(one), of(other)) {
            (Some(one), Some(other)) => differences(&path, &one, &other, fields),
            (Some(one @ Value::Object(_)), None) => differences(&path, &one, &nothing, fields),
            (None, Some(other @ Value::Object(_))) => differences(&path, &nothing, &other, fields),
            _ => fields.push(path),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_the_sections_that_changed() {
        let (one, other) =
            (json!({"routes": [], "guard": {"a": 1}}), json!({"guard": {"a": 2}, "watch": {}, "routes": []}));
        assert_eq!(Origin::of(&one).changed(&Origin::of(&other)), ["guard", "watch"]);
        assert!(Origin::of(&one).changed(&Origin::of(&one)).is_empty());
    }

    #[test]
    fn names_what_only_a_restart_brings_into_force() {
        let check = |one: Value, other: Value, expected: &[&str]| {
            assert_eq!(Origin::of(&one).needs_restart(&Origin::of(&other)), expected, "{one} {other}");
        };
        check(json!({}), json!({"routes": [], "gateway": {"max_in_flight": 3}}), &[]);
        check(json!({"server": {}}), json!({}), &[]);
        check(json!({}), json!({"server": {"listen": "[::]:1"}}), &["server.listen"]);
        check(
            json!({"server": {"listen": "a:1", "otlp_http": null}, "store": {"retention": {"spans_days": 1}}}),
            json!({"server": {"listen": "a:1"}, "store": {"retention": {"spans_days": 2}}}),
            &["server.otlp_http", "store.retention.spans_days"],
        );
        check(json!({"gateway": {"settle_queue": 1}}), json!({}), &["gateway.settle_queue"]);
    }
}
