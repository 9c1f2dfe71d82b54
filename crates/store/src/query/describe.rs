//! `SHOW TABLES` and `DESCRIBE`: answered from the tables' declarations, without a plan.

use serde_json::{Value, json};
use signalbox_types::Answer;
use signalbox_types::query::AnswerColumn;
use signalbox_types::seam::StoreError;
use signalbox_types::table;

use super::answer::type_name;

/// The answer if the SQL asks what there is; `None` if it asks something else.
pub(super) fn answer(sql: &str) -> Option<Result<Answer, StoreError>> {
    let text = sql.trim().trim_end_matches(';');
    let mut words = text.split_whitespace();
    let (verb, object) = (words.next()?, words.next()?);
    if words.next().is_some() {
        return None;
    }
    let verb = verb.to_ascii_lowercase();
    match verb.as_str() {
        "show" if object.eq_ignore_ascii_case("tables") => Some(Ok(tables())),
        "describe" | "desc" => Some(columns_of(object)),
        _ => None,
    }
}

fn tables() -> Answer {
    let rows = table::ALL.iter().map(|table| vec![json!(table.name), json!(table.doc)]).collect();
    texts(&["table", "doc"], rows)
}

fn columns_of(name: &str) -> Result<Answer, StoreError> {
    let Some(table) = table::find(&name.trim_matches('"').to_ascii_lowercase()) else {
        let known: Vec<&str> = table::ALL.iter().map(|table| table.name).collect();
        return Err(StoreError::Sql(format!("there is no table `{name}`; there are: {}", known.join(", "))));
    };
    let row = |column: &table::Column| {
        vec![json!(column.name), json!(type_name(column.ty)), json!(column.unit), json!(column.doc)]
    };
    Ok(texts(&["name", "type", "unit", "doc"], table.columns.iter().map(row).collect()))
}

fn texts(names: &[&str], rows: Vec<Vec<Value>>) -> Answer {
    let column = |name: &&str| AnswerColumn { name: (*name).to_owned(), ty: "text".to_owned(), unit: None };
    Answer { columns: names.iter().map(column).collect(), rows, next_cursor: None, elapsed_ms: 0.0 }
}
