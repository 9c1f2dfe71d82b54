use std::io::{IsTerminal, Read};

use anyhow::{Context, bail};
use comfy_table::{Table, presets};
use serde_json::{Value, json};
use signalbox_types::Answer;

use super::up::client_key;
use crate::demo::Client;

/// Read-only SQL over spans, scores, logs and metrics
///
/// Example: signalbox query "SELECT model, count(*) AS calls, sum(cost) AS usd FROM spans GROUP BY model"
///
/// Tables: spans, findings, scores, logs, metric_points. Their columns: signalbox query "DESCRIBE spans".
#[derive(Debug, clap::Args)]
pub(crate) struct Query {
    /// The SQL; `-` or nothing reads it from stdin
    sql: Option<String>,
    /// The Signalbox to ask
    #[arg(long, default_value = "http://127.0.0.1:7300", env = "SIGNALBOX_URL")]
    url: String,
    /// A virtual key [default: SIGNALBOX_KEY]
    #[arg(long)]
    key: Option<String>,
    /// How to print: a table, one JSON object a line, or CSV
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Table,
    Jsonl,
    Csv,
}

impl Query {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        let sql = match self.sql.as_deref() {
            Some(sql) if sql != "-" => sql.to_owned(),
            None if std::io::stdin().is_terminal() => {
                bail!("no SQL given; try `signalbox query \"SELECT count(*) FROM spans\"`")
            }
            _ => {
                let mut sql = String::new();
                std::io::stdin().read_to_string(&mut sql).context("can't read the SQL from stdin")?;
                sql
            }
        };
        let client = Client::new(&self.url, &client_key(self.key)?);
        let reply = super::block_on(async { client.post("/api/v1/sql", &json!({"sql": sql}), &[]).await })?;
        let answer = reply.json()?;
        if !reply.status.is_success() {
            bail!("{}", answer["error"]["message"].as_str().unwrap_or("Signalbox refused the query"));
        }
        let answer: Answer = serde_json::from_value(answer).context("Signalbox answered something else than rows")?;
        match self.format {
            Format::Table => super::say(&table(&answer)),
            Format::Jsonl => answer.objects().for_each(|row| super::say(&Value::Object(row).to_string())),
            Format::Csv => super::say(&csv(&answer)),
        }
        Ok(())
    }
}

fn table(answer: &Answer) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(answer.columns.iter().map(|column| match &column.unit {
        Some(unit) => format!("{} ({unit})", column.name),
        None => column.name.clone(),
    }));
    for row in &answer.rows {
        table.add_row(row.iter().map(plain));
    }
    let rows = if answer.rows.len() == 1 { "1 row".to_owned() } else { format!("{} rows", answer.rows.len()) };
    format!("{table}\n{rows} in {:.1} ms", answer.elapsed_ms)
}

/// RFC 4180.
fn csv(answer: &Answer) -> String {
    let quoted = |text: String| match text.contains([',', '"', '\n', '\r']) {
        true => format!("\"{}\"", text.replace('"', "\"\"")),
        false => text,
    };
    let head: Vec<String> = answer.columns.iter().map(|column| quoted(column.name.clone())).collect();
    let rows = answer.rows.iter().map(|row| row.iter().map(|value| quoted(plain(value))).collect::<Vec<_>>().join(","));
    std::iter::once(head.join(",")).chain(rows).collect::<Vec<_>>().join("\n")
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> Answer {
        serde_json::from_value(json!({
            "columns": [{"name": "model", "type": "text"}, {"name": "usd", "type": "money", "unit": "USD"}],
            "rows": [["a,\"b\"", 0.5], [null, 2]],
            "elapsed_ms": 1.25,
        }))
        .unwrap()
    }

    #[test]
    fn csv_quotes_what_it_must() {
        assert_eq!(csv(&answer()), "model,usd\n\"a,\"\"b\"\"\",0.5\n,2");
    }

    #[test]
    fn the_table_names_units_and_counts_rows() {
        let text = table(&answer());
        assert!(text.contains("usd (USD)") && text.ends_with("2 rows in 1.2 ms"), "{text}");
    }
}
