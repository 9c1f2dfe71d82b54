use signalbox_types::Place;

use super::{Pii, rules};
use crate::conformance::{self, samples};
use crate::scanner::{Hit, Scanner, Text};
use crate::{Guard, GuardConfig};

fn scan(text: &str) -> Vec<Hit> {
    let mut hits = Vec::new();
    Pii.scan(Text::whole(text), &mut hits);
    hits
}

#[test]
fn keeps_the_contract() {
    conformance::run(&Pii);
}

#[test]
fn finds_every_sample() {
    for sample in samples(include_str!("data/hit.jsonl")) {
        let found: Vec<_> = scan(&sample.text).iter().map(|hit| hit.rule.name).collect();
        assert_eq!(found, [sample.rule.as_deref().unwrap()], "{:?}", sample.text);
    }
}

#[test]
fn passes_what_is_no_personal_data() {
    for sample in samples(include_str!("data/miss.jsonl")) {
        let found: Vec<_> = scan(&sample.text).iter().map(|hit| hit.rule.name).collect();
        assert!(found.is_empty(), "{found:?} in {:?}", sample.text);
    }
}

#[test]
fn every_rule_has_a_sample() {
    let samples = samples(include_str!("data/hit.jsonl"));
    for rule in rules::ALL {
        assert!(samples.iter().any(|sample| sample.rule.as_deref() == Some(rule.name)), "{}", rule.name);
    }
}

#[test]
fn covers_the_value_and_nothing_else() {
    let check = |text: &str, values: &[&str]| {
        let found: Vec<_> = scan(text).iter().filter_map(|hit| text.get(hit.start..hit.end)).collect();
        assert_eq!(found, values, "{text}");
    };
    check("mail bob@example.org, or call +49 (0)30 901820.", &["bob@example.org", "+49 (0)30 901820"]);
    check("Fax 212-555-0143 x12\nPhone (212) 555-0144", &["212-555-0143 x12", "(212) 555-0144"]);
    check("IBAN DE89 3704 0044 0532 0130 00 BIC COBADEFF", &["DE89 3704 0044 0532 0130 00"]);
    check("http://203.0.113.9:80/a and [2001:db8::17]:443", &["203.0.113.9", "2001:db8::17"]);
    check("5 of 4111-1111-1111-1111 12/27 123", &["4111-1111-1111-1111"]);
    check("Звоните: 8 (495) 123-45-67", &["8 (495) 123-45-67"]);
    check("write to info@example.org.", &["info@example.org"]);
}

#[test]
fn a_stream_loses_what_is_personal_and_lets_prose_go() {
    let policies = r#"{"policies":[{"scanner":"pii","on":["output"],"action":"redact","min_confidence":0.7}]}"#;
    let guard = Guard::compile(&serde_json::from_str::<GuardConfig>(policies).unwrap()).unwrap();
    let mut window = guard.window(Place::Output);
    let calm = "Nothing happened today at all, and nobody wrote to them or called; ";
    assert_eq!(window.push(calm).text, calm, "finished words don't wait");
    let mut text: String = ["Mail ada@exam", "ple.org or call (212) ", "555-0187, card 4111 1111", " 1111 1111."]
        .map(|part| window.push(part).text)
        .concat();
    text += &window.finish().text;
    assert!(
        text.ends_with("Mail [REDACTED:email_address] or call [REDACTED:phone_number], card [REDACTED:credit_card]."),
        "{text}"
    );
}

#[test]
fn a_check_digit_decides() {
    for wrong in [
        "card 4111 1111 1111 1112",
        "DE88 3704 0044 0532 0130 00",
        "DNI 12345678A",
        "CPF 111.444.777-36",
        "AHV 756.9217.0769.86",
        "NRIC S1234567E",
        "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNb",
    ] {
        assert!(scan(wrong).is_empty(), "{wrong}");
    }
}

#[test]
fn an_address_with_credentials_is_no_mailbox_and_no_panic() {
    for text in ["https://user:p%40ss@db.internal/x", "postgres://é:@@host", "://@", "a@", "@a.b", "+", "(", "(1", "::"]
    {
        assert!(scan(text).is_empty(), "{text}");
    }
}

#[test]
fn kinds_are_named_as_data_sets_name_them() {
    let names: Vec<_> = rules::ALL.iter().map(|rule| Pii.kind(rule)).collect();
    for name in
        ["EMAIL_ADDRESS", "PHONE_NUMBER", "CREDIT_CARD", "US_SSN", "IBAN_CODE", "IP_ADDRESS", "DATE_TIME", "LOCATION"]
    {
        assert!(names.iter().any(|known| known == name), "{name}");
    }
}
