//! The document as a file, which the web UI's types are generated from.

/// `SIGNALBOX_ACCEPT=1 cargo test -p signalbox-api` writes it anew; then look at `git diff`.
#[test]
fn the_document_is_the_one_in_the_repository() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("snapshots/openapi.json");
    let mut document = crate::openapi().to_pretty_json().unwrap();
    document.push('\n');
    let accept = |name: &str, value: &str| std::env::var(name).is_ok_and(|found| found == value);
    if accept("SIGNALBOX_ACCEPT", "1") || accept("INSTA_UPDATE", "always") {
        std::fs::write(&file, &document).unwrap();
    }
    let kept = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(kept == document, "{} is stale: run `make accept` and look at the difference", file.display());
}
