//! What policies do, to whom, and what is excepted.

use serde_json::{Value, json};
use signalbox_types::{Action, Place, Verdict};

use super::*;
use crate::context::Facts;

fn guard(config: Value) -> Guard {
    Guard::compile(&serde_json::from_value(config).unwrap()).unwrap()
}

fn within(guard: &Guard, facts: Facts) -> Guard {
    guard.within(&Context { facts, ..Context::default() })
}

fn words(more: Value) -> Value {
    let mut policy = json!({"scanner": "words", "on": ["output"], "action": "block", "options": {"words": ["falcon"]}});
    policy.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    policy
}

#[test]
fn a_policy_is_for_the_calls_that_it_names() {
    let guard = guard(json!({"policies": [words(json!({"when": "key == 'ci' && metadata.tier == 'gold'"}))]}));
    let verdict = |key: &str, tier: &str| {
        let metadata = json!({ "tier": tier }).as_object().cloned().unwrap();
        let guard = within(&guard, Facts { key: key.to_owned(), metadata, ..Facts::default() });
        let check = guard.check(Place::Output, "a falcon").verdict;
        assert_eq!(guard.acts_on(Place::Output), check == Verdict::Block, "nothing is held back where nothing looks");
        check
    };
    assert_eq!(verdict("ci", "gold"), Verdict::Block);
    assert_eq!(verdict("ci", "silver"), Verdict::Allow);
    assert_eq!(verdict("app", "gold"), Verdict::Allow);
}

#[test]
fn a_sample_is_a_share_and_the_same_for_a_trace() {
    let guard = guard(json!({"policies": [words(json!({"sample": 0.25}))]}));
    let looks = |lot: u64| within(&guard, Facts { lot, ..Facts::default() }).watches(Place::Output);
    let drawn = (0..1_000_u64).filter(|n| looks(n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).count();
    assert!((200..300).contains(&drawn), "{drawn}");
    assert!(looks(0) && looks(0) && !looks(u64::MAX));
    let all = self::guard(json!({"policies": [words(json!({"sample": 1.0}))]}));
    assert!(within(&all, Facts { lot: u64::MAX, ..Facts::default() }).watches(Place::Output));
}

#[test]
fn an_exception_flags_and_says_why() {
    let except = |more: Value| {
        let mut one = json!({"scanner": "words", "reason": "It is our own bird."});
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        guard(json!({"policies": [words(json!({"name": "birds"}))], "exceptions": [one]}))
    };
    let at = |now| Facts { user: "ann".to_owned(), key: "ci".to_owned(), now, ..Facts::default() };
    let check = |guard: &Guard, now, excepted: bool| {
        let check = within(guard, at(now)).check(Place::Output, "a falcon");
        assert_eq!(check.verdict, if excepted { Verdict::Flag } else { Verdict::Block }, "{check:?}");
        let told = "(policy `birds`, an exception: It is our own bird).";
        assert_eq!(check.findings[0].message.ends_with(told), excepted, "{check:?}");
    };
    check(&except(json!({"user": "ann", "until": "2026-12-31"})), 1_780_000_000, true);
    check(&except(json!({"user": "ann", "until": "2026-12-31"})), 1_798_761_600, false);
    check(&except(json!({"user": "ann", "until": "2026-12-31"})), 0, false);
    check(&except(json!({"user": "bob"})), 1, false);
    check(&except(json!({"key": "ci"})), 1, true);
    check(&except(json!({"sha256": "a84571394b5e99fe70aae39ece25f844acbaf83479e27f39a30732e092b19677"})), 1, true);
    check(&except(json!({"sha256": "0".repeat(64)})), 1, false);
    check(&except(json!({"key": "ci", "rules": ["pattern"]})), 1, false);
}

#[test]
fn a_rewriting_policy_gives_its_reply_unless_another_blocks() {
    let rewrite = words(json!({"action": "rewrite", "reply": "Let us talk about something else."}));
    let guard = guard(json!({ "policies": [rewrite.clone()] }));
    let check = guard.check(Place::Output, "See the falcon fly.");
    assert_eq!((check.verdict, check.reply.as_deref()), (Verdict::Block, Some("Let us talk about something else.")));
    let mut window = guard.window(Place::Output);
    let mut out = String::new();
    let mut reply = None;
    for piece in ["See the fal", "con fly.", " More"] {
        let released = window.push(piece);
        out += &released.text;
        reply = reply.or(released.reply);
    }
    assert_eq!((out.as_str(), reply.as_deref()), ("See the ", Some("Let us talk about something else.")));
    let both = self::guard(json!({"policies": [rewrite.clone(), words(json!({}))]}));
    assert_eq!(both.check(Place::Output, "a falcon").reply, None);
    let mut shadow = rewrite;
    shadow["shadow"] = json!(true);
    let check = self::guard(json!({ "policies": [shadow] })).check(Place::Output, "a falcon");
    assert_eq!((check.verdict, check.reply.as_deref()), (Verdict::Flag, None));
    assert!(check.findings[0].message.contains("another reply would be given"), "{check:?}");
}

#[test]
fn what_is_tokenised_has_one_placeholder_and_comes_back() {
    let policy = json!({"scanner": "pii", "on": ["input"], "action": "tokenise", "rules": ["email_address"]});
    let guard = guard(json!({ "policies": [policy] }));
    let mut vocabulary = Vocabulary::default();
    let text = "Write to ann@firm.example and bob@firm.example, cc ann@firm.example.";
    let check = guard.check_with(Place::Input, text, &mut vocabulary);
    assert_eq!(check.verdict, Verdict::Redact);
    assert_eq!(check.findings[0].action, Action::Tokenise);
    let clean = check.redacted.unwrap();
    assert_eq!(clean, "Write to <EMAIL_ADDRESS_1> and <EMAIL_ADDRESS_2>, cc <EMAIL_ADDRESS_1>.");
    assert_eq!(vocabulary.restore(&clean, false), text);
    // Nobody keeps the way back: it is as good as redacted.
    assert!(guard.check(Place::Input, text).redacted.unwrap().starts_with("Write to [REDACTED:email_address] and"));
}

#[test]
fn what_cannot_be_meant_is_refused() {
    let check = |config: Value, expected: &str| {
        let problem = Guard::compile(&serde_json::from_value(config.clone()).unwrap()).unwrap_err().to_string();
        assert!(problem.starts_with(expected), "{config}: {problem}");
    };
    let policy = |more: Value| json!({"policies": [words(more)]});
    check(policy(json!({"when": "tier == 1"})), "policies[0].when: it names `tier`");
    check(policy(json!({"sample": 0.0})), "policies[0].sample: 0 is not above 0");
    check(policy(json!({"action": "rewrite"})), "policies[0].reply: it is missing");
    check(policy(json!({"reply": "x"})), "policies[0].reply: action `block` gives no reply");
    check(policy(json!({"action": "tokenise"})), "policies[0].on: `tokenise` is for `input` alone");
    check(
        policy(json!({"scanner": "competitors"})),
        "policies[0].scanner: unknown scanner `competitors`; `words` finds",
    );
    let calls = json!({"scanner": "tool_policy", "action": "redact", "options": {"deny": ["x"]}});
    check(json!({ "policies": [calls] }), "policies[0].action: a call of a tool passes or doesn't");
    let except = |more: Value| {
        let mut one = json!({"scanner": "words", "reason": "x", "user": "ann"});
        one.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({"policies": [], "exceptions": [one]})
    };
    check(except(json!({"user": null})), "exceptions[0].sha256: expected it, `user` or `key`");
    check(except(json!({"sha256": "abc"})), "exceptions[0].sha256: expected 64");
    check(except(json!({"until": "soon"})), "exceptions[0].until: expected a day");
    check(except(json!({"reason": " "})), "exceptions[0].reason: it is empty");
    check(except(json!({"scanner": "wrods"})), "exceptions[0].scanner: unknown scanner `wrods`; did you mean `words`?");
    check(except(json!({"rules": ["wrod"]})), "exceptions[0].rules[0]: scanner `words` has no rule");
}
