//! `docs/evaluation.md` lists every metric as its [`About`] says. `SIGNALBOX_ACCEPT=1` writes the list anew.

use std::fmt::Write as _;
use std::path::Path;

use signalbox_metrics::{About, Direction, Family, Input};

use crate::safety::every_metric;

const BEGIN: &str = "<!-- metrics -->\n";
const END: &str = "<!-- /metrics -->";

fn title(family: Family) -> &'static str {
    match family {
        Family::Text => "Text",
        Family::Structure => "Structure",
        Family::Retrieval => "Retrieval",
        Family::Grounding => "Grounding",
        Family::Agent => "Function calls and agents",
        Family::Drift => "Drift and change",
        Family::Safety => "Safety",
    }
}

fn needs(about: &About) -> String {
    let names = |inputs: &[Input]| inputs.iter().map(|input| format!("`{input}`")).collect::<Vec<_>>().join(", ");
    let also = if about.also.is_empty() { String::new() } else { format!("; may use {}", names(about.also)) };
    names(about.inputs) + &also
}

fn range(about: &About) -> String {
    match (about.range.low.is_finite(), about.range.high) {
        (true, Some(high)) => format!("{} to {high}", about.range.low),
        (true, None) => format!("from {}", about.range.low),
        (false, Some(high)) => format!("to {high}"),
        (false, None) => "any".to_owned(),
    }
}

fn table() -> String {
    let all: Vec<&About> = every_metric().collect();
    let mut text = format!(
        "\n{} metrics. `signalbox eval metric NAME` has the formula, the source and the options of one.\n",
        all.len()
    );
    for group in all.chunk_by(|a, b| a.family == b.family) {
        let _ = write!(text, "\n### {}\n\n", group.first().map_or("", |about| title(about.family)));
        text += "| metric | what it measures | needs | values | passes |\n|---|---|---|---|---|\n";
        for about in group {
            let passes = match about.direction {
                Direction::Higher => format!("≥ {}", about.threshold),
                Direction::Lower => format!("≤ {}", about.threshold),
            };
            let aliases = about.aliases.iter().map(|name| format!(", `{name}`")).collect::<String>();
            let names = format!("`{}`{aliases}", about.name);
            let summary = about.summary.replace('|', "\\|");
            let _ = writeln!(text, "| {names} | {summary} | {} | {} | {passes} |", needs(about), range(about));
        }
    }
    text + "\n"
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how a person tells a test to accept what it finds")]
fn the_page_lists_what_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/evaluation.md");
    let kept = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = kept.split_once(BEGIN).expect("the list begins at its mark");
    let (list, after) = rest.split_once(END).expect("the list ends at its mark");
    let accept = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if accept("SIGNALBOX_ACCEPT", "1") || accept("INSTA_UPDATE", "always") {
        std::fs::write(&path, format!("{before}{BEGIN}{}{END}{after}", table())).unwrap();
    } else {
        assert!(list == table(), "{} is not what the metrics say; `make accept C=evals` writes it", path.display());
    }
}
