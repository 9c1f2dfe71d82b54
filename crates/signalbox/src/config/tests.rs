use super::*;

fn env(name: &str) -> Option<String> {
    (name == "KEY").then(|| "sk-very-secret".to_owned())
}

/// The file is refused with each of these texts in the message, and never with the secret.
fn refused(text: &str, expected: &[&str]) {
    let problems = Config::parse("signalbox.yaml", text, &env).expect_err(text).to_string();
    for part in expected {
        assert!(problems.contains(part), "`{part}` is not in:\n{problems}");
    }
    assert!(!problems.contains("very-secret"), "{problems}");
}

#[test]
fn an_empty_file_is_the_default() {
    for text in ["", "# nothing\n", "server: {}\n", "server:\n  # nothing\n"] {
        let config = Config::parse("signalbox.yaml", text, &env).unwrap();
        assert_eq!(config.server.listen.to_string(), "127.0.0.1:7300");
    }
}

#[test]
fn the_template_is_valid_as_it_is_and_with_every_comment_taken_off() {
    Config::parse("template", TEMPLATE, &env).unwrap();
    let bare: String = TEMPLATE.lines().map(|line| format!("{}\n", uncommented(line))).collect();
    if let Err(problems) = Config::parse("template", &bare, &env) {
        panic!("{problems}\n---\n{bare}");
    }
}

#[test]
fn any_one_line_of_the_template_can_be_used_by_itself() {
    let lines: Vec<&str> = TEMPLATE.lines().collect();
    for (at, line) in lines.iter().enumerate() {
        // A line of a nested example needs those above it.
        let nested =
            line.starts_with("    ") || line.trim_start().starts_with("#-") || line.trim_start() == "#policies:";
        if nested || !line.trim_start().starts_with('#') {
            continue;
        }
        let mut text: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        text[at] = uncommented(line);
        if let Err(problems) = Config::parse("template", &text.join("\n"), &env) {
            panic!("{line}: {problems}");
        }
    }
}

/// `#key: value` is an example, `# prose` is not. An example keeps its column, the `#` taken away.
fn uncommented(line: &str) -> String {
    let indent = line.len() - line.trim_start().len();
    match line.trim_start().strip_prefix('#') {
        Some(example) if !example.starts_with(' ') && !example.is_empty() => format!("{}{example}", " ".repeat(indent)),
        Some(_) => String::new(),
        None => line.to_owned(),
    }
}

#[test]
fn every_problem_at_once_with_its_line_and_the_nearest_name() {
    refused(
        "server:\n  lisen: 127.0.0.1:1\n  max_connections: many\nproviderz: []\n",
        &[
            "signalbox.yaml:2:3: unknown field `lisen` in `server`",
            "did you mean `listen`? Known fields: ",
            "signalbox.yaml:3:3: `server.max_connections` is text; expected a whole number",
            "signalbox.yaml:4:1: unknown field `providerz` in the file",
            "did you mean `providers`?",
        ],
    );
}

#[test]
fn values_are_explained() {
    refused("server:\n  listen: everywhere\n", &["signalbox.yaml:2:3: `server.listen`", "invalid socket address"]);
    refused("server:\n  drain_timeout: soon\n", &["signalbox.yaml:2:3: `server.drain_timeout`", "`30s`"]);
    refused("a: [\n", &["signalbox.yaml:", "not valid YAML"]);
    refused("server: 3\n", &["`server` is a number; expected a mapping"]);
}

#[test]
fn environment_variables() {
    refused("server:\n  data_dir: ${NOPE}/x\n", &["signalbox.yaml:2:", "`NOPE` is not set", "${NOPE:-value}"]);
    refused("server:\n  listen: ${KEY}\n", &["`server.listen`"]);
    let config = Config::parse("x", "server:\n  data_dir: /a/${NOPE:-b}/$$c\n", &env).unwrap();
    assert_eq!(config.server.data_dir, Path::new("/a/b/$c"));
}
