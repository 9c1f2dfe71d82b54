use comfy_table::{Table, presets};
use serde_json::Value;

use crate::remote::At;

/// Objectives: how much of their error budgets is left, and whether releases wait
///
/// Examples:
///   signalbox objectives list
///   signalbox objectives check && ./deploy
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(crate) struct Objectives {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, clap::Subcommand)]
enum What {
    List(List),
    Check(Check),
}

impl Objectives {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self.what {
            What::List(list) => list.run(),
            What::Check(check) => check.run(),
        }
    }
}

/// List objectives with what was attained and what is left of the budget
#[derive(Debug, clap::Args)]
struct List {
    /// Print what the API answers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

impl List {
    fn run(self) -> anyhow::Result<()> {
        let remote = self.at.remote()?;
        let answer = super::block_on(async { remote.get_json("/api/v1/objectives").await })?;
        super::say(&if self.json { answer.to_string() } else { table(&answer) });
        Ok(())
    }
}

/// Ask whether releases wait; end with status 1 if they do, and say why
#[derive(Debug, clap::Args)]
struct Check {
    /// Print what the API answers
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    at: At,
}

impl Check {
    fn run(self) -> anyhow::Result<()> {
        let remote = self.at.remote()?;
        // Who can't be asked is no reason to release: that ends with another status.
        let answer = super::block_on(async { remote.get_json("/api/v1/release_freeze").await })
            .map_err(|error| super::Ended::with(2, &error))?;
        if self.json {
            super::say(&answer.to_string());
        }
        let texts = |list: &str| -> Vec<String> {
            let all = answer[list].as_array().into_iter().flatten();
            all.map(|one| one["text"].as_str().unwrap_or_default().to_owned()).collect()
        };
        if answer["frozen"] == true {
            return Err(super::Ended::told(1, format!("releases wait\n  {}", texts("reasons").join("\n  "))).into());
        }
        if !self.json {
            let unknown = texts("unknown").into_iter().map(|text| format!("\n  a budget can't be counted: {text}"));
            super::say(&format!("releases may go on{}", unknown.collect::<String>()));
        }
        Ok(())
    }
}

fn table(answer: &Value) -> String {
    let mut table = Table::new();
    table.load_style(presets::UTF8_FULL_CONDENSED);
    table.set_header(["objective", "goal", "attained", "period", "budget left", "burn 1h", "burn 6h", "releases"]);
    let percent = |value: &Value| value.as_f64().map_or_else(String::new, |share| format!("{:.3} %", 100.0 * share));
    for one in answer["objectives"].as_array().into_iter().flatten() {
        let standing = &one["standing"];
        let rate = |over: &str| {
            let rates = standing["burn_rates"].as_array().into_iter().flatten();
            let rate = rates.filter(|rate| rate["over"] == over).find_map(|rate| rate["rate"].as_f64());
            rate.map_or_else(String::new, |rate| format!("{rate:.2}"))
        };
        let left = standing["budget_left"].as_f64().map(|left| format!("{:.1} %", 100.0 * left));
        table.add_row([
            one["name"].as_str().unwrap_or_default().to_owned(),
            percent(&one["definition"]["objective"]),
            percent(&standing["attained"]),
            one["definition"]["period"].as_str().unwrap_or_default().to_owned(),
            left.or_else(|| one["problem"].as_str().map(str::to_owned)).unwrap_or_default(),
            rate("1h"),
            rate("6h"),
            if standing["frozen"] == true { "wait".to_owned() } else { String::new() },
        ]);
    }
    table.to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_table_shows_what_is_left() {
        let rates = json!([{"over": "1h", "rate": 2.5, "bad": 5, "total": 200}, {"over": "6h", "bad": 0, "total": 0}]);
        let standing = json!({"attained": 0.985, "budget_left": -0.5, "burn_rates": rates, "frozen": true});
        let definition = json!({"objective": 0.99, "period": "30d"});
        let text = table(&json!({"objectives": [{"name": "calls", "definition": definition, "standing": standing}]}));
        for part in ["calls", "99.000 %", "98.500 %", "30d", "-50.0 %", "2.50", "wait"] {
            assert!(text.contains(part), "`{part}` is not in:\n{text}");
        }
        let problem = json!({"name": "calls", "definition": definition, "problem": "the store is shut"});
        assert!(table(&json!({"objectives": [problem]})).contains("the store is shut"));
    }
}
