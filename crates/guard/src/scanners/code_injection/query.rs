//! What changes a query of a document store or a directory, and what makes an XML parser read.

use regex::bytes::Captures;

use super::checks::{always, anywhere, query_word, unopened, unpaired};
use super::patterns::{Family, pattern};
use super::rules::Id::{ldap_injection, nosql_injection, xxe};

pub(super) static FILTERS: Family = Family {
    words: &[
        "$ne",
        "$gt",
        "$lt",
        "$regex",
        "$where",
        "$nin",
        "$exists",
        "$or",
        "$in",
        "$comment",
        ".match(/",
        "sleep(",
        "new date",
        "db.",
        "this.",
        "==",
        "*)(",
        ")(",
        "objectclass=*",
        "return true",
        "%5b$",
        "(|(",
        "((|",
        ")(!",
        "%28%7c",
    ],
    may_start: query_word,
    patterns: &[
        pattern(
            nosql_injection,
            0.9,
            r#"\w{1,30}\[\s*['"]?\$(?:ne|gt|gte|lt|lte|regex|nin|in|exists|where|or|eq|not)['"]?\s*\]\s*="#,
            always,
        ),
        pattern(
            nosql_injection,
            0.75,
            r#"['"]?\$(?:ne|gt|gte|nin|lt|lte|regex)['"]?\s*:\s*(?:null|''|""|undefined|\[\]|['"]\^?\.\*)"#,
            no_call_before,
        ),
        pattern(
            nosql_injection,
            0.8,
            r#"(?:user\w{0,8}|pass\w{0,8}|login|e?mail|pwd|token)['"]?\s*:\s*\{\s*['"]?\$(?:ne|gt|gte|regex|nin|exists|in)\b"#,
            always,
        ),
        pattern(
            nosql_injection,
            0.7,
            r#"^\s*\{\s*['"]?\$(?:ne|gt|gte|lt|regex|nin|exists|where|or)['"]?\s*:\s*[^\n]{1,40}\}\s*$"#,
            always,
        ),
        pattern(
            nosql_injection,
            0.8,
            r#"(?:^|,\s*|\{\s*)['"]?\$where['"]?\s*:\s*['"]\s*(?:\d|sleep|this\.|return|function|true|!|\w+\s*==)"#,
            always,
        ),
        pattern(
            nosql_injection,
            0.85,
            r#"(['"])[\s})\]]*(?:,\s*['"]?\$(?:or|and|comment|where|ne)|\|\||&&|;)\s*(?:['"]?\s*:|this\.\w|['"]?\d['"]?\s*==|sleep\s*\(|return\b|(?:var )?\w{1,8}\s*=\s*new date|while|do\s*\{|db\.)"#,
            unpaired,
        ),
        pattern(
            nosql_injection,
            0.75,
            r#"(?:&&|\|\|)\s*this\.pass\w{0,24}\.match\s*\(|['"]\s*(?:&&|\|\|)\s*['"]?\d{1,4}['"]?\s*={2,3}\s*['"]?\d{1,4}|['"]\s*;\s*return\s+(?:true|1)\b|\bdb\.injection\."#,
            always,
        ),
        pattern(
            ldap_injection,
            0.9,
            r#"\*?\)+\s*\([\s(]*(?:[|&!]\s*\(?|)(?:uid|cn|objectclass|user\w{0,10}|userpassword|mail|sn|samaccountname|password|department)\s*[=~><]{1,2}\s*[*\w]"#,
            unopened,
        ),
        pattern(
            ldap_injection,
            0.85,
            r#"(?:\*\)\(\||\*\)\(&|\)\s*\(\s*[|&!][\s(&|!]{0,6}(?:\)|\w{1,20}=)|\)\(&\)|\*\|\)|\*\(\|\()"#,
            unopened,
        ),
        pattern(ldap_injection, 0.7, r#"^\*?\)?\(\|\((?:objectclass|uid|cn|mail)=\*"#, always),
    ],
};

pub(super) static DOCUMENTS: Family = Family {
    words: &["<!entity", "<!doctype", "xi:include", "%3c!entity", "&lt;!entity"],
    may_start: anywhere,
    patterns: &[
        pattern(xxe, 0.95, r#"<!entity\s+(?:%\s*)?[\w.-]{1,40}\s+(?:system|public)\s+["'][^\n]{0,60}"#, external),
        pattern(xxe, 0.85, r#"<!entity\s+(?:%\s*)?[\w.-]{1,40}\s+["'](?:&[\w.-]{1,20};\s*){3,}"#, always),
        pattern(
            xxe,
            0.85,
            r#"<!doctype\s+\w{1,40}\s+(?:system|public)\s+["'](?:file|php|expect|jar|gopher|ftp|netdoc)[^\n]{0,60}"#,
            always,
        ),
        pattern(xxe, 0.85, r#"xi:include[^>\n]{0,60}href\s*=\s*["'](?:file:|/|php:|https?://\d)"#, always),
    ],
};

/// Not an argument of a query as programs write it: `db.users.find({name: {$ne: null}})`.
fn no_call_before(text: &[u8], captures: &Captures<'_>) -> bool {
    const CALLS: [&[u8]; 8] =
        [b"find(", b"findone(", b"aggregate(", b"$match", b"update", b"delete", b"count", b"where("];
    let before = &text[..captures.get(0).map_or(0, |all| all.start())];
    !CALLS.iter().any(|call| before.windows(call.len()).any(|window| window == *call))
}

/// Entities of a document type may name another file beside it; a payload names a scheme or an absolute path.
fn external(_: &[u8], captures: &Captures<'_>) -> bool {
    let all = captures.get(0).map_or(&b""[..], |all| all.as_bytes());
    let schemes: [&[u8]; 10] =
        [b"file:", b"http:", b"https:", b"ftp:", b"php:", b"expect:", b"jar:", b"gopher:", b"netdoc:", b"data:"];
    let quoted = all.iter().position(|byte| matches!(byte, b'"' | b'\'')).map_or(&b""[..], |at| &all[at + 1..]);
    quoted.starts_with(b"/")
        || quoted.starts_with(b"%")
        || schemes.iter().any(|scheme| all.windows(scheme.len()).any(|window| window == *scheme))
}
