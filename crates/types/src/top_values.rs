//! Which attributes spans have, and which values are frequent in them: what people choose from when they
//! filter. Counted while spans are written, bounded, about right.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use crate::{ProjectId, Span, Verdict};

/// Fields of a project that are remembered.
const FIELDS: usize = 500;
/// Values of a field that are remembered.
const VALUES: usize = 50;
/// Longer values are nothing that one chooses from a list.
const VALUE_BYTES: usize = 120;
/// A field whose values come and go so often holds names of things, not kinds.
const EVICTIONS: u64 = 20 * VALUES as u64;
/// Projects that are remembered.
const PROJECTS: usize = 1_000;

/// A field, how many spans have it, and its most frequent values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct FieldValues {
    /// A column of `spans`, or a key of a map column: `attributes.key`.
    pub field: String,
    /// Spans that have it, about.
    pub count: u64,
    /// The most frequent first; none of a field in which nearly every span has another one.
    pub values: Vec<ValueCount>,
}

/// A value and how often it occurs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct ValueCount {
    /// The value.
    pub value: String,
    /// Spans that have it, about.
    pub count: u64,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
struct Field {
    count: u64,
    values: HashMap<String, u64>,
    evictions: u64,
}

/// The fields of all projects.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub struct TopValues {
    projects: BTreeMap<ProjectId, BTreeMap<String, Field>>,
}

impl TopValues {
    /// Counts spans that are written.
    pub fn count(&mut self, spans: &[Span]) {
        for span in spans {
            if self.projects.len() >= PROJECTS && !self.projects.contains_key(&span.project_id) {
                continue;
            }
            if !self.projects.contains_key(&span.project_id) {
                self.projects.insert(span.project_id.clone(), BTreeMap::new());
            }
            let Some(fields) = self.projects.get_mut(&span.project_id) else { continue };
            for (name, value) in columns(span) {
                value.into_iter().for_each(|value| count(fields, "", name, value));
            }
            span.tags.iter().for_each(|tag| count(fields, "", "tags", tag));
            let ours = |key: &str| key.starts_with("signalbox.");
            for (key, value) in span.attributes.iter().filter(|(key, _)| !ours(key)) {
                count(fields, "attributes.", key, value);
            }
            for (key, value) in &span.resource_attributes {
                count(fields, "resource_attributes.", key, value);
            }
        }
    }

    /// The fields of a project by name, without their values; or one of them with its values.
    #[must_use]
    pub fn list(&self, project: &ProjectId, field: Option<&str>) -> Vec<FieldValues> {
        match field {
            Some(field) => self.field(project, field).into_iter().collect(),
            None => self.fields(project),
        }
    }

    fn fields(&self, project: &ProjectId) -> Vec<FieldValues> {
        let fields = self.projects.get(project).into_iter().flatten();
        let named =
            fields.map(|(name, field)| FieldValues { field: name.clone(), count: field.count, values: Vec::new() });
        named.collect()
    }

    fn field(&self, project: &ProjectId, name: &str) -> Option<FieldValues> {
        let field = self.projects.get(project)?.get(name)?;
        let values = field.values.iter().map(|(value, count)| ValueCount { value: value.clone(), count: *count });
        let mut values: Vec<ValueCount> = values.collect();
        values.sort_unstable_by(|a, b| b.count.cmp(&a.count).then_with(|| a.value.cmp(&b.value)));
        Some(FieldValues { field: name.to_owned(), count: field.count, values })
    }

    /// Forgets what is known of a project.
    pub fn forget(&mut self, project: &ProjectId) {
        self.projects.remove(project);
    }
}

/// Columns of few values.
fn columns(span: &Span) -> [(&'static str, Option<&str>); 17] {
    [
        ("agent_name", span.agent_name.as_deref()),
        ("dialect", span.dialect.as_deref()),
        ("environment", span.environment.as_deref()),
        ("error_type", span.error_type.as_deref()),
        ("key_id", span.key_id.as_ref().map(|key| key.as_str())),
        ("kind", Some(span.kind.as_str())),
        ("model", span.model()),
        ("operation", span.operation.as_deref()),
        ("prompt_name", span.prompt_name.as_deref()),
        ("prompt_version", span.prompt_version.as_deref()),
        ("provider", span.provider.as_deref()),
        ("release", span.release.as_deref()),
        ("service_name", span.service_name.as_deref()),
        ("source", Some(span.source.as_str())),
        ("status", Some(span.status.as_str())),
        ("tool_name", span.tool_name.as_deref()),
        ("verdict", span.verdict.map(Verdict::as_str)),
    ]
}

fn count(fields: &mut BTreeMap<String, Field>, prefix: &str, key: &str, value: &str) {
    let name = [prefix, key].concat();
    if let Some(field) = fields.get_mut(&name) {
        field.take(value);
    } else if fields.len() < FIELDS {
        fields.entry(name).or_default().take(value);
    }
}

impl Field {
    /// As the Space-Saving algorithm does (Metwally et al. 2005): a new value takes the place of the rarest.
    fn take(&mut self, value: &str) {
        self.count += 1;
        if value.len() > VALUE_BYTES || self.evictions > EVICTIONS {
            return;
        }
        if let Some(count) = self.values.get_mut(value) {
            *count += 1;
            return;
        }
        let mut before = 0;
        if self.values.len() >= VALUES {
            let rarest = self.values.iter().min_by_key(|(_, count)| **count);
            let Some((rarest, count)) = rarest.map(|(value, count)| (value.clone(), *count)) else { return };
            self.values.remove(&rarest);
            self.evictions += 1;
            before = count;
        }
        if self.evictions > EVICTIONS {
            self.values.clear();
        } else {
            self.values.insert(value.to_owned(), before + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{SpanId, Timestamp, TraceId};

    fn span(n: u64) -> Span {
        let mut span = Span::new(ProjectId::new("p"), TraceId::new(), SpanId::new(), "chat", Timestamp::from_micros(1));
        span.attributes.insert("tier".to_owned(), if n.is_multiple_of(3) { "gold" } else { "free" }.to_owned());
        span.attributes.insert("request".to_owned(), n.to_string());
        span.attributes.insert("signalbox.moved".to_owned(), "{}".to_owned());
        span
    }

    #[test]
    fn frequent_values_are_counted_and_names_are_not() {
        let mut top = TopValues::default();
        let project = ProjectId::new("p");
        for n in 0..3_000 {
            top.count(&[span(n)]);
        }
        let tier = top.field(&project, "attributes.tier").unwrap();
        let counts: Vec<(&str, u64)> = tier.values.iter().map(|one| (one.value.as_str(), one.count)).collect();
        assert_eq!(counts, [("free", 2_000), ("gold", 1_000)]);
        let request = top.field(&project, "attributes.request").unwrap();
        assert_eq!((request.count, request.values.len()), (3_000, 0));
        let fields = top.fields(&project);
        let names: Vec<&str> = fields.iter().map(|field| field.field.as_str()).collect();
        assert_eq!(names, ["attributes.request", "attributes.tier", "kind", "source", "status"]);
        let kept: TopValues = serde_json::from_str(&serde_json::to_string(&top).unwrap()).unwrap();
        assert_eq!(kept, top);
        assert_eq!(top.field(&ProjectId::new("q"), "kind"), None);
        top.forget(&project);
        assert_eq!(top.fields(&project), []);
    }

    #[test]
    fn what_it_remembers_is_bounded() {
        let mut top = TopValues::default();
        let mut wide = span(0);
        wide.attributes = (0..2_000).map(|n| (format!("key{n}"), "x".repeat(n))).collect();
        top.count(&[wide]);
        let project = ProjectId::new("p");
        assert_eq!(top.fields(&project).len(), FIELDS);
    }
}
