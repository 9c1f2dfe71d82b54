//! What names say of the values that are assigned to them.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Password,
    /// A token, a secret, a credential.
    Secret,
    /// A key of a named thing: `api_key`.
    Key,
    /// `key`, without a word before it.
    BareKey,
}

/// Words at the end of a name that say nothing about what it names.
const SUFFIXES: &[&[u8]] = &[
    b"value", b"val", b"env", b"prod", b"dev", b"live", b"string", b"str", b"base", b"b", b"raw", b"hex", b"new",
    b"old",
];

/// Words that a name may end in. `true`: also with a word glued before it (`dbpassword`).
const ENDINGS: &[(&[u8], Kind, bool)] = &[
    (b"password", Kind::Password, true),
    (b"passwd", Kind::Password, true),
    (b"passphrase", Kind::Password, true),
    (b"passcode", Kind::Password, true),
    (b"pass", Kind::Password, false),
    (b"pwd", Kind::Password, true),
    (b"passwort", Kind::Password, true),
    (b"kennwort", Kind::Password, true),
    (b"passe", Kind::Password, false),
    (b"wachtwoord", Kind::Password, true),
    (b"senha", Kind::Password, false),
    (b"contrasena", Kind::Password, true),
    (b"tokens", Kind::Secret, false),
    (b"token", Kind::Secret, true),
    (b"secrets", Kind::Secret, false),
    (b"secret", Kind::Secret, true),
    (b"credentials", Kind::Secret, false),
    (b"credential", Kind::Secret, false),
    (b"creds", Kind::Secret, false),
    (b"authorization", Kind::Secret, false),
    (b"auth", Kind::Secret, false),
    (b"pat", Kind::Secret, false),
    (b"keys", Kind::Key, false),
    (b"key", Kind::Key, false),
];

/// Glued to `key` they make a name for a secret.
const KEY_PREFIXES: &[&[u8]] = &[
    b"api",
    b"access",
    b"secret",
    b"private",
    b"auth",
    b"client",
    b"app",
    b"encryption",
    b"signing",
    b"master",
    b"storage",
    b"account",
    b"consumer",
    b"service",
    b"dn",
    b"subscription",
    b"application",
];

/// Words before the ending that make it something else.
const NOT_SECRET: &[&[u8]] = &[
    b"public",
    b"pub",
    b"primary",
    b"foreign",
    b"partition",
    b"sort",
    b"cache",
    b"row",
    b"hash",
    b"group",
    b"unique",
    b"object",
    b"bucket",
    b"index",
    b"idempotency",
    b"routing",
    b"translation",
    b"map",
    b"dict",
    b"lookup",
    b"schema",
    b"sequence",
    b"event",
    b"shortcut",
    b"hot",
    b"tab",
    b"arrow",
    b"enter",
    b"search",
    b"kms",
    b"host",
    b"product",
    b"item",
    b"json",
    b"field",
    b"column",
    b"site",
    b"query",
    b"project",
    b"issue",
    b"message",
    b"label",
    b"node",
    b"file",
    b"path",
    b"parent",
    b"csrf",
    b"xsrf",
    b"next",
    b"page",
    b"continuation",
    b"cursor",
    b"authenticity",
    b"pad",
    b"eos",
    b"bos",
    b"unk",
    b"sep",
    b"cls",
    b"mask",
    b"special",
    b"max",
    b"num",
    b"total",
    b"prompt",
    b"completion",
    b"input",
    b"output",
    b"stop",
    b"start",
    b"end",
    b"sync",
    b"not",
    b"no",
    b"is",
    b"has",
    b"fake",
    b"mon",
    b"don",
    b"tur",
    b"compare",
    b"metadata",
    b"attribute",
    b"config",
    b"data",
    b"param",
    b"uuid",
    b"plugin",
    b"module",
    b"entity",
    b"record",
    b"state",
    b"checksum",
    b"key",
];

/// What the end of the name says that it names.
pub(super) fn kind(name: &[u8]) -> Option<Kind> {
    let mut end = name.len();
    for _ in 0..3 {
        end -= name[..end].iter().rev().take_while(|byte| byte.is_ascii_digit() || matches!(byte, b'_' | b'-')).count();
        let suffix = SUFFIXES.iter().find(|suffix| ends_in_word(&name[..end], suffix));
        let Some(suffix) = suffix else { break };
        end -= suffix.len();
    }
    let name = &name[..end];
    let ends = |word: &[u8]| name.len() >= word.len() && name[name.len() - word.len()..].eq_ignore_ascii_case(word);
    let (ending, kind, glued) = ENDINGS.iter().find(|(ending, _, _)| ends(ending))?;
    let before = &name[..name.len() - ending.len()];
    let known = KEY_PREFIXES.iter().any(|prefix| tail_is(before, prefix));
    if !(*glued || ends_in_word(name, ending) || (*kind == Kind::Key && known)) {
        return None;
    }
    let trimmed =
        before.iter().rposition(|byte| byte.is_ascii_alphanumeric()).map_or(&before[..0], |last| &before[..=last]);
    if NOT_SECRET.iter().any(|word| ends_in_word(trimmed, word)) {
        return None;
    }
    Some(if *kind == Kind::Key && trimmed.is_empty() { Kind::BareKey } else { *kind })
}

fn tail_is(text: &[u8], word: &[u8]) -> bool {
    // Most differ in their last letter.
    let (Some(last), Some(wanted)) = (text.last(), word.last()) else { return word.is_empty() };
    last.eq_ignore_ascii_case(wanted)
        && text.len() >= word.len()
        && text[text.len() - word.len()..].eq_ignore_ascii_case(word)
}

/// Whether `name` ends in `word` as a word of its own: `api_key`, `api-key`, `apiKey`, `KEY`.
fn ends_in_word(name: &[u8], word: &[u8]) -> bool {
    if !tail_is(name, word) {
        return false;
    }
    let at = name.len() - word.len();
    let Some(before) = at.checked_sub(1).map(|i| name[i]) else { return true };
    !before.is_ascii_alphabetic() || (before.is_ascii_lowercase() && name[at].is_ascii_uppercase())
}
