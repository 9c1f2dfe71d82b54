//! `docs/scanners.md` says of each scanner what its [`About`](crate::About) says. `SIGNALBOX_ACCEPT=1` writes it anew.

use std::path::Path;

use crate::registry::{self, Entry};

fn page() -> String {
    let mut page = String::from(
        "# Scanners\n\nWhat each scanner catches and what it can't, and its rules. Made of the code by `make accept C=guard`; \
         policies are in [guardrails.md](guardrails.md).\n",
    );
    for entry in registry::entries() {
        let about = entry.about();
        page += &format!("\n## `{}`\n\n{}\n\n", about.name, about.summary);
        page += &format!("**Catches.** {}\n\n**Can't.** {}\n\n", about.catches.trim(), about.misses.trim());
        page += "| rule | severity | means |\n|---|---|---|\n";
        for rule in about.rules {
            page += &format!("| `{}` | {} | {} |\n", rule.name, rule.severity, rule.message.replace('|', "\\|"));
        }
        if let Entry::Made(maker) = entry {
            let schema = maker.schema().to_value();
            let fields = schema["properties"].as_object().into_iter().flatten();
            page += "\n| option | means |\n|---|---|\n";
            for (name, field) in fields {
                let doc = field["description"].as_str().unwrap_or_default().replace('\n', " ").replace('|', "\\|");
                page += &format!("| `{name}` | {doc} |\n");
            }
        }
    }
    page
}

#[test]
#[expect(clippy::disallowed_methods, reason = "how a person tells a test to accept what it finds")]
fn the_page_says_what_the_code_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/scanners.md");
    let accept = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if accept("SIGNALBOX_ACCEPT", "1") || accept("INSTA_UPDATE", "always") {
        std::fs::write(&path, page()).unwrap();
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(kept == page(), "{} is not what the scanners say; `make accept C=guard` writes it", path.display());
}
