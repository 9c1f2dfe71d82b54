//! SQL: what cuts a statement open and goes on with one of its own.

use super::checks::{
    always, constants, fragment, inline, sql_word, unpaired, value_before, value_then_quote, value_unpaired,
};
use super::patterns::{Family, Pattern, pattern};
use super::rules::Id::sql_injection;

pub(super) static FAMILY: Family = Family {
    words: &[
        "'",
        "\"",
        "%27",
        "%22",
        "\u{2019}",
        "or",
        "and",
        "xor",
        "||",
        "&&",
        "union",
        "select",
        "sleep",
        "benchmark",
        "waitfor",
        "extractvalue",
        "updatexml",
        "rand(0)",
        "randomblob",
        "infile",
        "\u{2032}",
        "analyse",
        "convert(int",
        "load_file",
        "outfile",
        "dumpfile",
        "order",
        "group",
        "having",
        "xp_",
        "sp_oacreate",
        "utl_",
        "dbms_",
        "concat",
        "char(",
        "chr(",
        "cast(0x",
        "drop",
        "delete",
        "insert",
        "update",
        "truncate",
        "shutdown",
        "exec",
        "declare",
        "procedure",
        "master..",
    ],
    may_start: sql_word,
    patterns: PATTERNS,
};

static PATTERNS: &[Pattern] = &[
    // `or 1=1`, `and 'a'='a`, `having 2>1`.
    pattern(
        sql_injection,
        0.9,
        r#"(?:^|['"][\s)]{0,4}|[^a-z_])(?:or|and|xor|\|\||&&|having|rlike|not)[\s(!+~-]*('[^'\n]{0,24}'|"[^"\n]{0,24}"|-?\d[\d.e]{0,12}|0x[0-9a-f]{1,12}|@@?\w{1,20}|[a-z]\w{0,15}(?:\(\))?)[\s)]*(?:=|<=>|<>|!=|like|rlike|regexp)[\s(+~-]*('[^'\n]{0,24}|"[^"\n]{0,24}|-?\d[\d.]{0,12}|0x[0-9a-f]{1,12}|@@?\w{1,20}|[a-z]\w{0,15}(?:\(\))?)"#,
        constants,
    ),
    pattern(
        sql_injection,
        0.75,
        r#"(?:^|[^a-z_])(?:or|and|xor|\|\||&&)[\s(]*\d{1,9}\s*[<>]=?\s*\d{1,9}"#,
        value_before,
    ),
    // `' or anything --`.
    pattern(
        sql_injection,
        0.8,
        r#"(['"])[\s)]{0,4}(?:or|and|xor|\|\||&&)[\s('"!][^\n]{1,100}?(?:--|#|/\*|;%00)[\s\w]{0,6}(?:$|\n)"#,
        unpaired,
    ),
    // `x' or y = 'z`: the last quote waits for the one that the statement has.
    pattern(
        sql_injection,
        0.6,
        r#"(['"])[\s)]{0,4}(?:(?:or|and|xor|like|rlike|regexp|div|mod|is|between)(?:[^a-z]|$)|(?:\|\||&&|<>|!=|<=>|=|<\s?[+(-]|[>|&^*+-])[\s\w(@'"~!+-])(?:[^\n'"]{0,40}(?:'[^\n'"]{0,24}'|"[^\n'"]{0,24}"))*?[^\n'"]{0,60}(?:[\s=(<>+*/,|&^-]|like|regexp|or|and|xor|is|div|mod)(['"])[\w %]{0,16}(?:$|\n)"#,
        value_then_quote,
    ),
    pattern(
        sql_injection,
        0.6,
        r#"(['"])\s*(?:or|and|xor|(?:not )?like|rlike|(?:not )?regexp|div|mod)\s+(['"])\w{1,12}\s*(?:$|\n)"#,
        value_then_quote,
    ),
    // `) or true --`.
    pattern(
        sql_injection,
        0.75,
        r#"(?:^|['")\d\s])\s?(?:or|and|xor|\|\||&&)[\s("']+(?:not )?(?:true|false|null|\d{1,6}|'[^'\n]{0,8}'?|exists)['")\s]*(?:--|#|/\*)[\s\w]{0,4}(?:$|\n)"#,
        fragment,
    ),
    pattern(
        sql_injection,
        0.9,
        r#"(?:^|[^a-z_])union[\s(]+(?:(?:all|distinct|distinctrow)[\s(]+)?select[\s(]*(?:(?:all|distinct|top \d+) )?(?:null|['"@(*0-9-]|\w{1,32}\s*[(,]|\w{1,32}\s+(?:from|as|into|--)|--|$)"#,
        inline,
    ),
    pattern(sql_injection, 0.85, r#"(['"])[\s)]*union[\s(]+(?:all[\s(]+)?select(?:[^a-z]|$)"#, unpaired),
    pattern(
        sql_injection,
        0.85,
        r#"(?:^|['"\w)])[ )]*; *(?:drop\s+(?:table|database|user|view|procedure|schema)|delete\s+from\s+\w+\s*(?:where|;|--|$)|insert\s+into\s+\w+|update\s+\w+\s+set\s+\w+\s*=|truncate\s+table|alter\s+(?:table|user|login|database)|create\s+(?:table|user|login)|exec(?:ute)?[\s(]+(?:xp_|sp_|master|immediate|@|\()|declare\s+@|begin\s+declare|waitfor\s+delay|select\s+(?:\*|\w+\s*\(|pg_|@@|\d|case|\w+(?:\s*,\s*\w+)*\s+from))"#,
        value_before,
    ),
    pattern(sql_injection, 0.8, r#"['"\d]\s*;\s*shutdown\s*(?:with nowait\s*)?(?:;|--|#|$)"#, always),
    pattern(
        sql_injection,
        0.7,
        r#"(?:xp_cmdshell|xp_dirtree|xp_regread|xp_fileexist|sp_oacreate|utl_inaddr\.get_host\w*|utl_http\.request|dbms_pipe\.receive_message|dbms_lock\.sleep)[\s(]*['"(]"#,
        always,
    ),
    pattern(
        sql_injection,
        0.85,
        r#"(?:^|[^a-z_])(?:(?:select|or|and|xor|rlike|\|\||&&|['"+*,-]|if\s*\([^()\n]{1,40},)[\s(]*(?:sleep|pg_sleep|benchmark)\s*\(\s*[\d_]|(?:pg_sleep|sleep|benchmark)\s*\(\s*\w{1,12}\s*(?:,[^\n]{1,40})?\)[\s)]*(?:--|#|/\*|=\s*['"\d]|['"]))"#,
        fragment,
    ),
    pattern(
        sql_injection,
        0.8,
        r#"(?:^|[;'")\d])\s*(?:if\s*\(?[^\n]{1,40}\)\s*)?waitfor\s+(?:delay|time)\s*['"]?\d"#,
        fragment,
    ),
    pattern(
        sql_injection,
        0.9,
        r#"(?:extractvalue|updatexml)\s*\(\s*(?:\d+|rand|null|0x|'|")[^\n]{0,40}(?:concat|0x|\(select|\( select)"#,
        always,
    ),
    pattern(
        sql_injection,
        0.9,
        r#"(?:floor|count|concat)\s*\([^\n]{0,60}rand\s*\(\s*0?\s*\)[^\n]{0,80}group by"#,
        always,
    ),
    pattern(sql_injection, 0.85, r#"procedure\s+analyse\s*\("#, always),
    pattern(sql_injection, 0.85, r#"randomblob\s*\(\s*\d{6}"#, always),
    pattern(
        sql_injection,
        0.8,
        r#"[;'"][^\n]{0,80}waitfor\s+(?:delay|time)\s*['"]?\d|(?:^|['"\d)]\s*)order by \(?(?:sleep|benchmark|pg_sleep)\s*\("#,
        fragment,
    ),
    // A value between quotes that an operator joins to the rest, and nothing else.
    pattern(
        sql_injection,
        0.65,
        r#"^[\w@.-]{1,16} ?['"] ?(?:\|\||&&|like|rlike|regexp|xor|or|and) ?['"]\w{0,16}['"]?\s*$"#,
        always,
    ),
    // What is asked of the database about itself, where a value should stand.
    pattern(
        sql_injection,
        0.6,
        r#"^\s*select\s+(?:[^\n]{1,60} from (?:pg_shadow|syscat\.|sysibm\.|sysobjects|syscolumns|mysql\.user|master\.\.|all_tables|user_tables|dba_users|v\$version)|(?:@@version|@@hostname|version\s*\(\s*\)|user\s*\(\s*\)|current_user|system_user|database\s*\(\s*\))\s*(?:;|--|$))"#,
        always,
    ),
    pattern(sql_injection, 0.8, r#"convert\s*\(\s*int\s*,\s*(?:\(|@@|db_name|user|char)"#, fragment),
    pattern(sql_injection, 0.8, r#"load_file\s*\(\s*(?:0x|['"]/|['"]c:|char)"#, always),
    pattern(sql_injection, 0.8, r#"into\s+(?:out|dump)file\s*['"]"#, fragment),
    pattern(
        sql_injection,
        0.75,
        r#"(?:^|['")\d\s])(?:or|and|xor|\|\||&&)\s+\(?\w{1,20}\s*(?:=|<>|!=|<|>)\s*\w{1,20}[\s)]*(?:--|#|/\*)\s*(?:$|\n)"#,
        fragment,
    ),
    // A value, and a condition on a column.
    pattern(
        sql_injection,
        0.65,
        r#"(['"])[\s)]{0,4}(?:or|and|xor|\|\||&&)[\s(!]+\(?[\w.'"@]{1,32}\)?(?:\s*(?:=|<>|!=|<|>)|\s+(?:like|in\s*\(|is (?:not )?null|between|rlike|regexp))"#,
        value_unpaired,
    ),
    pattern(
        sql_injection,
        0.65,
        r#"^[\d'")\s-]{1,10}(?:or|and|xor|\|\||&&)\s+\(?\w{1,32}\s*(?:=|<>|!=|<|>|like|is (?:not )?null|in\s*\(|between)"#,
        always,
    ),
    // Nothing but a number and marks before: the statement that is cut open is the program's.
    pattern(
        sql_injection,
        0.8,
        r#"^[\s'"\d)(./*#;-]{1,24}union(?:\s*(?:\(|#|--|/|\n|$)|\s+(?:all|distinct|select))"#,
        always,
    ),
    pattern(sql_injection, 0.75, r#"exec(?:ute)?\s*\(\s*@\w{1,12}\s*\)|master\.\.xp_\w"#, always),
    pattern(
        sql_injection,
        0.85,
        r#"declare\s+@\w{1,12}\s+n?(?:var)?char\s*\(\s*\d+\s*\)[\s;]*(?:set|select)\s+@\w{1,12}\s*=\s*(?:0x|cast)"#,
        always,
    ),
    pattern(sql_injection, 0.6, r#"^\s*(?:pg_sleep|sleep|benchmark)\s*\(\s*[\d_]+\s*[,)]"#, always),
    pattern(
        sql_injection,
        0.85,
        r#"(?:^|['")\d])[\s)]*(?:order|group)\s+by\s+\d{1,6}\s*(?:,\s*\d{1,3}\s*)*(?:--|#|/\*)"#,
        fragment,
    ),
    pattern(sql_injection, 0.7, r#"['"\d)][\s)]*having\s+[\d'"(]"#, value_before),
    // A subquery or a function of the database where a value should go on.
    pattern(
        sql_injection,
        0.8,
        r#"(?:^|['"\d)])[\s)]*(?:or|and|xor|\|\||&&|[+*/|&^,=-]|div|mod|in|like|rlike)\s*[(!~-]*\s*(?:select\s|exists\s*\(\s*select|not exists|case\s+when|if\s*\(|ascii\s*\(|ord\s*\(|substr(?:ing)?\s*\(|mid\s*\(|length\s*\(|char_length|char\s*\(|chr\s*\(|md5\s*\(|version\s*\(|user(?:_name)?\s*\(|database\s*\(|db_name\s*\(|@@\w+|current_(?:user|date)|concat|hex\s*\(|system_user|bin\s*\(|conv\s*\(|utc_|now\s*\(|updatexml|extractvalue|sleep\s*\()|(?:^|['"\d)])[\s)]*\(\s*select\s"#,
        value_before,
    ),
    pattern(
        sql_injection,
        0.75,
        r#"(?:^|\n)[\w.@$%<>-]{0,24}(['"])[ )]{0,4}(?:; *)?(?:--|#|/\*)[ -]*(?:$|\n)"#,
        always,
    ),
    pattern(sql_injection, 0.75, r#"(?:concat(?:_ws)?\s*\(\s*0x|cast\s*\(\s*0x[0-9a-f]{8})"#, always),
    pattern(
        sql_injection,
        0.7,
        r#"(?:char|chr)\s*\(\d{1,3}\)\s*(?:\+|\|\||,|%2b)\s*(?:n?char|chr)\s*\(\d{1,3}\)"#,
        always,
    ),
    pattern(sql_injection, 0.6, r#"^[\s'"(@\w*+-]{0,24}\(\s*select\s[^\n]{1,80}\)\s*(?:--|#|/\*)"#, always),
];
