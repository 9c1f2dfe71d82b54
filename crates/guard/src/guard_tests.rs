use signalbox_types::{Action, Place, Verdict};

use super::*;
use crate::policy::PolicyConfig;
use crate::term::allows;

fn config(json: &str) -> GuardConfig {
    serde_json::from_str(json).unwrap()
}

fn error(json: &str) -> String {
    Guard::compile(&config(json)).unwrap_err().to_string()
}

#[test]
fn the_default_flags_input_and_cleans_output() {
    let guard = Guard::compile(&GuardConfig::default()).unwrap();
    let text = format!("key: sk-proj-{} \u{E0041}\u{E0042}", "aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3");
    let input = guard.check(Place::Input, &text);
    assert_eq!((input.verdict, input.redacted), (Verdict::Flag, None));
    assert_eq!(input.findings.len(), 2);
    let output = guard.check(Place::Output, &text);
    assert_eq!(output.redacted.as_deref(), Some("key: [REDACTED:openai_api_key] "));
    assert!(guard.watches(Place::Input) && !guard.acts_on(Place::Input) && guard.acts_on(Place::Output));
}

#[test]
fn the_default_only_flags_guesses_in_output() {
    let guard = Guard::compile(&GuardConfig::default()).unwrap();
    let check = guard.check(Place::Output, "password = \"Tr0ub4dor&3\"");
    assert_eq!((check.verdict, check.redacted), (Verdict::Flag, None));
}

#[test]
fn clean_text_is_allowed() {
    let guard = Guard::compile(&GuardConfig::default()).unwrap();
    let check = guard.check(Place::Output, "Nothing to see here, not even a token budget.");
    assert_eq!(check, Check { verdict: Verdict::Allow, findings: vec![], redacted: None, reply: None });
}

#[test]
fn what_was_clean_for_one_scanner_is_looked_at_by_another() {
    let guard =
        |scanner: &str| Guard::compile(&config(&format!(r#"{{"policies":[{{"scanner":"{scanner}"}}]}}"#))).unwrap();
    let text = format!("Write to ada.lovelace@example.com about it. {}", "And then the rest of the letter. ".repeat(8));
    let key = memory::key(&text).unwrap();
    for _ in 0..2 {
        assert_eq!(guard("secrets").check(Place::Input, &text).findings, []);
        assert_eq!(memory::clean(&key).count_ones(), 1, "secrets, and not pii");
        assert_eq!(guard("pii").check(Place::Input, &text).findings.len(), 1);
    }
    assert_eq!(guard("secrets").check(Place::Output, &text).findings, []);
}

#[test]
fn unknown_names_are_named_with_the_nearest() {
    let message = error(r#"{"policies":[{"scanner":"secrets"},{"scanner":"sekrets"}]}"#);
    let expected = "policies[1].scanner: unknown scanner `sekrets`; did you mean `secrets`? (known: ";
    assert!(message.starts_with(expected) && message.contains("invisible_chars, "), "{message}");
    let message = error(r#"{"policies":[{"scanner":"invisible_chars","rules":["tag_chars"]}]}"#);
    assert!(
        message.starts_with("policies[0].rules[0]: scanner `invisible_chars` has no rule `tag_chars`; did you mean `tag_characters`? (known: ansi_escape,"),
        "{message}"
    );
    let message =
        serde_json::from_str::<GuardConfig>(r#"{"policies":[{"scanner":"secrets","action":"blok"}]}"#).unwrap_err();
    assert!(
        message.to_string().starts_with(
            "unknown action `blok`; did you mean `block`? (known: flag, tokenise, redact, rewrite, block)"
        )
    );
    let message =
        serde_json::from_str::<GuardConfig>(r#"{"policies":[{"scanner":"secrets","acton":"block"}]}"#).unwrap_err();
    assert!(message.to_string().starts_with("unknown field `acton`"), "{message}");
}

#[test]
fn policies_that_mean_nothing_are_refused() {
    assert!(error(r#"{"policies":[{"scanner":"secrets","on":[]}]}"#).contains("would never apply"));
    assert!(error(r#"{"policies":[{"scanner":"secrets","min_confidence":7}]}"#).contains("not between 0 and 1"));
    assert!(error(r#"{"policies":[{"scanner":"secrets","allow":["*"]}]}"#).contains("would allow everything"));
}

#[test]
fn every_problem_is_found_at_once() {
    let problems = Guard::problems(&config(
        r#"{"policies":[{"scanner":"x","on":[],"min_confidence":7,"allow":["a","*"]},
            {"scanner":"secrets"},{"scanner":"secrets","rules":["github_token","y","z"]}]}"#,
    ));
    let paths: Vec<String> = problems.into_iter().map(|problem| problem.path).collect();
    assert_eq!(
        paths,
        [
            "policies[0].scanner",
            "policies[0].min_confidence",
            "policies[0].on",
            "policies[0].allow[1]",
            "policies[2].rules[1]",
            "policies[2].rules[2]",
        ]
    );
}

#[test]
fn an_empty_list_switches_the_guard_off() {
    let guard = Guard::compile(&config(r#"{"policies":[]}"#)).unwrap();
    assert!(!guard.watches(Place::Input) && !guard.watches(Place::Output));
    assert_eq!(guard.window(Place::Output).push("x").text, "x");
}

#[test]
fn the_strongest_action_counts_and_exceptions_are_kept() {
    let guard = Guard::compile(&config(
        r#"{"policies":[
            {"scanner":"secrets","on":["input"]},
            {"scanner":"secrets","on":["input"],"action":"block","rules":["github_token"],"allow":["ghp_Test*"]}]}"#,
    ))
    .unwrap();
    let token = |start: &str| format!("{start}{}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6");
    assert_eq!(guard.check(Place::Input, &token("ghp_q9Zx")).verdict, Verdict::Block);
    assert_eq!(guard.check(Place::Input, &token("ghp_Test")).verdict, Verdict::Flag);
}

#[test]
fn a_shadow_says_what_it_would_do_and_does_nothing() {
    let guard = Guard::compile(&config(
        r#"{"policies":[
            {"scanner":"secrets"},
            {"scanner":"secrets","action":"block","shadow":true,"name":"no keys","owner":"ann","rationale":"since May"},
            {"scanner":"invisible_chars","action":"redact","shadow":true}]}"#,
    ))
    .unwrap();
    assert!(!guard.acts_on(Place::Output), "a stream isn't held back for it");
    let text = format!("ghp_q9Zx{} \u{E0041}\u{E0042}", "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6");
    let check = guard.check(Place::Input, &text);
    assert_eq!((check.verdict, check.redacted), (Verdict::Flag, None));
    let message = &check.findings[0].message;
    assert!(message.ends_with(" (policy `no keys`, in shadow: it would be blocked)."), "{message}");
    assert!(check.findings[1].message.ends_with(" (in shadow: it would be redacted)."), "{:?}", check.findings);

    let named = Guard::compile(&config(r#"{"policies":[{"scanner":"secrets","action":"redact","name":"no keys"}]}"#));
    let finding = named.unwrap().check(Place::Input, &text).findings.remove(0);
    assert!(finding.action == Action::Redact && finding.message.ends_with(" (policy `no keys`)."), "{finding:?}");
    assert!(error(r#"{"policies":[{"scanner":"secrets","shadow":true}]}"#).contains("leave `shadow` out"));
    assert!(error(r#"{"policies":[{"scanner":"secrets","name":" "}]}"#).starts_with("policies[0].name: "));
}

#[test]
fn patterns_of_exceptions() {
    let check =
        |pattern: &str, text: &str, expected: bool| assert_eq!(allows(pattern, text), expected, "{pattern} {text}");
    check("abc", "abc", true);
    check("abc", "abcd", false);
    check("ab*", "abcd", true);
    check("*cd", "abcd", true);
    check("a*c*e", "abcde", true);
    check("a*c*e", "abde", false);
    check("ab*ba", "aba", false);
}

#[test]
fn findings_never_hold_the_text() {
    let guard = Guard::compile(&GuardConfig::default()).unwrap();
    let secret = "Tr0ub4dor&3xyz";
    let check = guard.check(Place::Input, &format!("password = \"{secret}\""));
    assert_eq!(check.findings[0].action, Action::Flag);
    assert!(!format!("{check:?}").contains(secret));
}

#[test]
fn a_policy_may_be_about_what_some_say() {
    let policy = PolicyConfig {
        roles: vec![Role::User, Role::Tool],
        ..PolicyConfig::new("secrets", vec![Place::Input, Place::Output], Action::Block)
    };
    let guard = Guard::compile(&GuardConfig::of(vec![policy.clone()])).unwrap();
    let text = format!("The key is {}", "sk-proj-aB3dE5gH7jK9mN1pQ2rS4tU6vW8xY0zA1bC3");
    assert!(guard.tells_roles());
    let verdict = |role: Role| guard.said_by(role).check(Place::Input, &text).verdict;
    assert_eq!(
        [Role::System, Role::User, Role::Assistant, Role::Tool].map(verdict),
        [Verdict::Allow, Verdict::Block, Verdict::Allow, Verdict::Block]
    );
    assert_eq!(
        guard.said_by(Role::System).check(Place::Output, &text).verdict,
        Verdict::Block,
        "answers are no matter of roles"
    );
    let policy = PolicyConfig { on: vec![Place::Output], ..policy };
    let problems = Guard::problems(&GuardConfig::of(vec![policy]));
    assert_eq!(problems.iter().map(|problem| problem.path.as_str()).collect::<Vec<_>>(), ["policies[0].roles"]);
}
