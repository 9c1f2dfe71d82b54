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
        // A line of a nested example needs those above it, its head those below.
        let headed = matches!(
            line.trim_start(),
            "#policies:" | "#exceptions:" | "#online:" | "#channels:" | "#monitors:" | "#objectives:"
        );
        let nested = line.starts_with("    ") || line.trim_start().starts_with("#-") || headed;
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
    refused("server:\n  listen: everywhere\n", &["signalbox.yaml:2:3: `server.listen`", "`localhost:7300`"]);
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

#[test]
fn problems_of_every_kind_come_together_each_with_its_line() {
    let text = "\
server:
  listen: nowhere
  colour: red
  data_dir: ${NOPE}
timeouts: {idle: 0s}
providers:
  - kind: openai
  - name: mine
    kind: opnai
    modles: [x]
  - name: eu
    kind: openai
    api_key: ${KEY
guard:
  policies:
    - scanner: secrets
      acton: block
    - scanner: secrets
      min_confidence: 7
      rules:
        - github_token
        - nothing
prices:
  - model: m
    input: free
    output: 1
  - model: n
    input: 1
    output: -2
";
    let problems = Config::parse("f", text, &env).unwrap_err();
    let lines: Vec<usize> = problems.all.iter().map(|problem| problem.place.line).collect();
    assert_eq!(lines, [2, 3, 4, 5, 7, 9, 10, 13, 17, 19, 22, 25, 29], "{problems}");
    for part in [
        "f:2:3: `server.listen` has the wrong form; expected a host and a port",
        "f:4:3: the environment variable `NOPE` is not set",
        "f:5:12: `timeouts.idle`: it is zero",
        "f:7:5: `name` is missing in `providers[0]`",
        "f:9:5: `providers[1].kind`: there is no kind of provider named `opnai`",
        "f:13:5: `${` has no `}` after it",
        "f:19:7: `guard.policies[1].min_confidence`: 7 is not between 0 and 1",
        "`guard.policies[1].rules[1]`: scanner `secrets` has no rule `nothing`",
        "f:25:5: `prices[0].input` has the wrong form; expected dollars per million tokens, e.g. `2.50`",
        "f:29:5: `prices[1].output`: price of `n`",
    ] {
        assert!(problems.to_string().contains(part), "`{part}` is not in:\n{problems}");
    }
}

#[test]
fn numbers_and_texts_stand_for_each_other_where_they_can() {
    let config = Config::parse(
        "f",
        "server:\n  listen: localhost:7300\n  max_connections: '100'\ngateway:\n  max_in_flight: ${MANY:-50}\n\
         simulated:\n  enabled: 'false'\n  error_rate: '0.5'\n\
         prices:\n  - {model: 4.10, input: 2.50, output: '10'}\n\
         providers:\n  - {name: openai, api_key: 0123}\n",
        &env,
    )
    .unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!(config.server.listen.to_string(), "localhost:7300");
    assert_eq!((config.server.max_connections, config.gateway.max_in_flight), (100, 50));
    assert_eq!((config.simulated.enabled, config.simulated.error_rate), (Some(false), 0.5));
    assert_eq!(config.prices[0].model, "4.10");
    assert_eq!(config.prices[0].rates.input.0.to_string(), "2.5");
    assert_eq!(config.providers[0].api_key.as_ref().unwrap().expose(), "0123");
    refused("server:\n  max_connections: ${KEY}\n", &["`server.max_connections` is text; expected a whole number"]);
    refused("timeouts:\n  idle: 60\n", &["`timeouts.idle` has the wrong form; expected a duration", "`30s`"]);
    refused("ingest:\n  max_in_flight: 0\n", &["`ingest.max_in_flight` is 0; expected at least 1"]);
}

#[test]
fn a_key_in_the_wrong_place_is_not_told() {
    let text = "providers:\n  - {name: x, dialect: openai_chat, base_url: 'http://h/v1', auth: sk-proj-abc}\n";
    let told = Config::parse("signalbox.yaml", text, &env).unwrap_err().to_string();
    assert!(told.contains("`providers[0].auth` is another word; expected one of"), "{told}");
    assert!(!told.contains("sk-proj"), "{told}");
}

#[test]
fn routes_are_checked_with_all_else() {
    refused(
        "routes:\n  - name: chat\n    strategy: priorty\n    targets:\n      - {provider: smi, model: small}\n      \
         - {provider: sim, model: small, when: \"tier == 'gold'\"}\n",
        &[
            "signalbox.yaml:3:5: `routes[0].strategy` is `priorty`; expected one of ",
            "did you mean `priority`?",
            "`routes[0].targets[0].provider`: there is no provider `smi`",
            "`routes[0].targets[1].when`: it names `tier`; known: model",
        ],
    );
    let text = "routes:\n  - {name: chat, targets: [{provider: sim, model: small}]}\n";
    assert_eq!(Config::parse("signalbox.yaml", text, &env).unwrap().routes[0].name, "chat");
}

#[test]
fn an_action_that_switches_a_route_names_one_that_is_there() {
    let text = "\
routes:
  - {name: chat, targets: [{provider: sim, model: small}]}
watch:
  monitors:
    - name: crowd
      query: {measures: [{fn: count}]}
      condition: {threshold: {above: 5}}
      actions:
        - {name: Away, switch_route: {route: chat, to: backup}}
";
    refused(text, &["signalbox.yaml:9:", "there is no route `backup`; expected one of chat"]);
}

#[test]
fn a_drift_check_asks_a_model_that_somebody_may_have() {
    let check = |model: &str| format!("watch:\n  drift:\n    - {{name: inputs, embedding_model: {model}}}\n");
    let place = "signalbox.yaml:3:";
    refused(
        &check("opnai/text-embedding-3-small"),
        &[place, "there is no provider `opnai`", "did you mean `openai`? configured or on: `sim`"],
    );
    // Off for want of a key, a name of whoever has it, a route, and a name with a slash that a provider lists.
    let others = "routes:\n  - {name: near/all, targets: [{provider: sim, model: embed}]}\nproviders:\n  - {name: own, dialect: \
                  openai_chat, base_url: 'http://h/v1', auth: none, models: [BAAI/bge-m3]}\n";
    for model in ["openai/text-embedding-3-small", "text-embedding-3-small", "near/all", "BAAI/bge-m3"] {
        let text = format!("{}{others}", check(model));
        let config = Config::parse("signalbox.yaml", &text, &env).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(config.watch.drift[0].embedding_model.as_deref(), Some(model));
    }
}

#[test]
fn a_wrong_word_in_a_list_is_one_problem_and_not_two() {
    let text = "guard:\n  policies:\n    - scanner: secrets\n      on: [inptu]\n";
    let problems = Config::parse("f", text, &env).unwrap_err();
    assert_eq!(problems.all.len(), 1, "{problems}");
    assert!(problems.to_string().contains("`inptu`"), "{problems}");
    refused("guard:\n  policies:\n    - scanner: secrets\n      on: []\n", &["would never apply"]);
}

#[test]
fn a_route_that_no_call_can_take_is_warned_of() {
    let text = "\
providers:
  - {name: off, dialect: openai_chat, base_url: http://127.0.0.1:1/v1, enabled: false}
routes:
  - {name: none, targets: [{provider: off, model: m}, {provider: openai, model: m}]}
  - {name: some, targets: [{provider: off, model: m}, {provider: sim, model: small}]}
";
    let warned = |env: &dyn Fn(&str) -> Option<String>| Config::parse("f", text, &env).unwrap().warnings(env);
    let warnings = warned(&|_| None);
    let [warning] = warnings.as_slice() else { panic!("{warnings:?}") };
    for part in ["route `none`", "provider `off` is off", "`enabled: false`", "set OPENAI_API_KEY"] {
        assert!(warning.contains(part), "{warning}");
    }
    let key = |name: &str| (name == "OPENAI_API_KEY").then(|| "k".to_owned());
    assert!(warned(&key).is_empty(), "{:?}", warned(&key));
}
