//! What may be written shorter in a suite than it is meant.

use serde_json::{Map, Value, json};

/// `metrics: [bleu]` means `[{metric: bleu}]`, `no_regression: true` means `{}`, a command may be a list, and what is said of a
/// judge may stand beside its rubric's name.
pub(super) fn spell_out(suite: &mut Value) {
    fn list<'a>(suite: &'a mut Value, field: &str) -> Vec<&'a mut Value> {
        suite.get_mut(field).and_then(Value::as_array_mut).map(|rows| rows.iter_mut().collect()).unwrap_or_default()
    }
    for row in list(suite, "metrics").into_iter().filter(|row| row.is_string()) {
        *row = json!({"metric": row});
    }
    for row in list(suite, "metrics") {
        judge(row);
    }
    for row in list(suite, "datasets").into_iter().filter(|row| row.is_string()) {
        *row = json!({"path": row});
    }
    for field in ["metrics", "targets"] {
        for row in list(suite, field) {
            if let Some(command) = row.get_mut("command").filter(|command| command.is_array()) {
                *command = json!({"run": command});
            }
        }
    }
    for row in list(suite, "gates") {
        if let Some(rule) = row.get_mut("no_regression")
            && let Some(is_wanted) = rule.as_bool()
        {
            *rule = if is_wanted { json!({}) } else { Value::Null };
        }
    }
}

/// `{judge: tone, model: m, threshold: 3}` means `{judge: {rubric: tone, model: m}, threshold: 3}`, as in a request to the API.
fn judge(row: &mut Value) {
    /// What a metric of any kind may have.
    const OF_ALL: [&str; 5] = ["as", "threshold", "direction", "options", "judge"];
    let Some(fields) = row.as_object_mut() else { return };
    let Some(Value::String(rubric)) = fields.get("judge").cloned() else { return };
    let is_of_all = |(name, _): &(String, Value)| OF_ALL.contains(&name.as_str());
    let (own, mut config): (Map<String, Value>, Map<String, Value>) =
        std::mem::take(fields).into_iter().partition(is_of_all);
    *fields = own;
    config.insert("rubric".to_owned(), Value::String(rubric));
    fields.insert("judge".to_owned(), Value::Object(config));
}
