//! The families of payloads: the words that each needs, and the patterns that are looked for at them. Patterns see
//! plain text (see `plain`): lower case, one space, escapes decoded. `^` is the beginning of the text only.

use super::checks::{Holds, MayStart, always, anywhere, no_command_before, unopened, unpaired, xss_word};
use super::rules::Id::{
    self, ldap_injection, nosql_injection, path_traversal, shell_injection, ssrf, template_injection, xss, xxe,
};
use super::sql;

/// Payloads of one kind.
pub(super) struct Family {
    /// Literals; every match holds one of them. At most 32 bytes each.
    pub(super) words: &'static [&'static str],
    pub(super) may_start: MayStart,
    pub(super) patterns: &'static [Pattern],
}

/// One shape of a payload.
pub(super) struct Pattern {
    pub(super) rule: Id,
    pub(super) confidence: f32,
    pub(super) regex: &'static str,
    pub(super) holds: Holds,
}

pub(super) const fn pattern(rule: Id, confidence: f32, regex: &'static str, holds: Holds) -> Pattern {
    Pattern { rule, confidence, regex, holds }
}

pub(super) static FAMILIES: &[&Family] = &[&sql::FAMILY, &XSS, &TEMPLATES, &SHELL, &PATHS, &FILTERS, &DOCUMENTS];

static XSS: Family = Family {
    words: &[
        "on",
        "script",
        "expression",
        "data:",
        "srcdoc",
        "xml-stylesheet",
        "moz-binding",
        "behavior",
        "@import",
        "http-equiv",
        "fromcharcode",
        "document.cookie",
        "innerhtml",
        "allowscriptaccess",
        "xlink:href",
        "ev:event",
        "event-source",
        "&#",
        "&tab;",
        "&colon;",
        "&newline;",
        "\\u00",
        "\0",
        "<handler",
        "attributename",
    ],
    may_start: xss_word,
    patterns: &[
        // Handlers that show off (`alert(1)`) or take something away; `onclick="send()"` is a page.
        pattern(
            xss,
            0.9,
            r#"(?:<[^>\n]{0,90}|["'`])[\s/"'`\x00-\x20]on(?:[abd-rt-z][a-z]{2,24}|c[a-kmo-z][a-z]{2,20}|s[a-tv-z][a-z]{2,20})[\s\x00-\x20]*=[^\n]{0,60}?(?:alert|confirm|prompt|eval|document|window|location|javascript|fetch|import|string\.|self\[|top\[|this\[|throw|atob|\\u00|write|innerhtml|parent|settimeout|src=)"#,
            always,
        ),
        pattern(
            xss,
            0.85,
            r#"(?:^|[\s/"'`])on[a-z]{3,24}[\s]*=[\s"'`]*(?:javascript:|(?:alert|confirm|prompt)\s*(?:\(|`)\s*(?:\d|document|/|`|string|window|origin|['"]xss|['"]?x?kcf|\)))"#,
            always,
        ),
        pattern(
            xss,
            0.8,
            r#"<\s*/?(?:x|svg|img|body|iframe|video|audio|marquee|details|input|math|object|embed|table|isindex|frameset|bgsound|event-source|style|link|base)\b[^>\n]{0,60}[\s/"'`]on[a-z]{3,24}\s*=\s*["'`]?[^"'\s>]{0,30}(?:\(|`)"#,
            always,
        ),
        pattern(
            xss,
            0.9,
            r#"<\s*/?script[^>\n]{0,60}>?[^\n]{0,80}?(?:alert|confirm|prompt|eval|document\.(?:cookie|write|location|domain)|string\.fromcharcode|location\s*=|javascript:|atob|new image|throw|innerhtml|\bxss\b|unescape)"#,
            always,
        ),
        pattern(
            xss,
            0.8,
            r#"<\s*script[^>\n]{0,40}\ssrc\s*=\s*(?:[^\s"'>]{4}|["']?(?://|\\|data:)|["']https?://[^"'\n]{1,60}(?:xss|evil|attack|ha\.ckers|\d+\.\d+\.\d+\.\d+))"#,
            always,
        ),
        pattern(
            xss,
            0.85,
            r#"<\s*script\s?/\s?\w|<\s*script\s[^\n]{0,40}\ssrc\s*=\s*["']?https?://[^"'\n]{0,60}xss"#,
            always,
        ),
        pattern(
            xss,
            0.75,
            r#"<(?:handler|listener)\b[^>\n]{0,80}(?:event|handler|id)\s*=|\bev:event\s*=|attributename\s*=\s*["']?(?:on[a-z]{4}|xlink:href)"#,
            always,
        ),
        pattern(xss, 0.8, r#"(?:^[^<\n]{0,24}["'`] ?>|</(?:title|textarea|noscript)>) ?<\s*script"#, always),
        pattern(
            xss,
            0.85,
            r#"(?:href|src|action|data|background|poster|dynsrc|lowsrc|code|content|url|value|from|to|values|folder|srcset|formaction|ping|xml:base)\s*(?:=|\()[^>\n]{0,40}(?:j\s?a\s?v\s?a\s?s\s?c\s?r\s?i\s?p\s?t|vbscript|livescript)\s*:\s*(?:[^v\s;"']|v[^o])"#,
            always,
        ),
        pattern(
            xss,
            0.85,
            r#"(?:java|vb|live)script\s*:[^\n]{0,60}(?:alert|confirm|prompt|eval|document\.|window\[|\\u00|string\.|msgbox)\s*[(`.\[\w]?"#,
            always,
        ),
        pattern(
            xss,
            0.85,
            r#"data:(?:(?:text/html|text/xml|application/x-)[^\n]{0,40}(?:<|base64|script|event)|image/svg[+ ]xml[^\n]{0,80}(?:<script|onload|onerror))"#,
            always,
        ),
        pattern(xss, 0.85, r#"<[^>\n]{0,80}srcdoc\s*=[^\n]{0,40}<"#, always),
        pattern(
            xss,
            0.85,
            r#"(?:style\s*=|[{;:])[^\n]{0,60}(?:expression\s*\\?\(|-moz-binding\s*:|behaviou?r\s*:\s*url)"#,
            always,
        ),
        pattern(xss, 0.8, r#"<\?xml-stylesheet[^>\n]{0,80}(?:javascript|data:|expression|href)"#, always),
        pattern(
            xss,
            0.8,
            r#"@import\s*["'(]?[^\n]{0,6}(?:javascript:|data:|url\(?["']?javascript|//[a-z.]{0,20}(?:xss|ckers))"#,
            always,
        ),
        pattern(
            xss,
            0.8,
            r#"http-equiv\s*=\s*["']?(?:refresh|set-cookie|link)["']?[^\n]{0,80}(?:javascript|data:|<|userid)"#,
            always,
        ),
        pattern(xss, 0.7, r#"(?:alert|eval|confirm|prompt)\s*\(\s*(?:string\.fromcharcode|document\.cookie)"#, always),
        pattern(xss, 0.75, r#"allowscriptaccess\s*=\s*["']?always"#, always),
    ],
};

static TEMPLATES: Family = Family {
    words: &[
        "{{",
        "${",
        "#{",
        "<%",
        "{%",
        "*{",
        "@(",
        "#set",
        "__class__",
        "__globals__",
        "__mro__",
        "__subclasses__",
        "__builtins__",
        "getclass",
        "forname",
        "getruntime",
        "freemarker",
        "_self.",
        "processbuilder",
        "passthru",
        "shell_exec",
        "call_user_func",
        "|attr(",
        "popen",
        "child_process",
        "subclasses",
    ],
    may_start: anywhere,
    patterns: &[
        // Arithmetic with nothing but constants is a probe.
        pattern(
            template_injection,
            0.9,
            r#"(?:\{\{|\$\{\{?|#\{|<%=?|\*\{|@\()\s*[\[(]*\s*['"]?\d{1,8}['"]?\s*[*+/-]\s*['"]?\d{1,8}['"]?\s*[\])]*\s*(?:\}|%>|\)|[+*])"#,
            always,
        ),
        pattern(
            template_injection,
            0.9,
            r#"__(?:class|init|mro|base|bases|globals|subclasses)__[^\n]{0,40}?(?:__(?:mro|base|bases|globals|subclasses|builtins|import|getitem)__)"#,
            always,
        ),
        pattern(
            template_injection,
            0.85,
            r#"\.(?:class|__class__)\.(?:mro|base|bases)\b|\.mro\(\)\s*\[|subclasses\s*\(\)\s*\["#,
            always,
        ),
        pattern(
            template_injection,
            0.9,
            r#"(?:(?:\{\{|\{%|<%)(?:[^}%\n]|[}%][^}\n>]){0,90}?|(?:\$\{|#\{|\*\{)[^}\n]{0,90}?|(?:#set\s*\(|\$\w+\.)[^\n]{0,60}?)(?:getclass\s*\(|forname\s*\(|getruntime|processbuilder|java\.(?:lang|util|io|net)|t\(java|freemarker\.template|readallbytes|getdeclared(?:method|constructor)|newinstance|scriptengine|\bexec\s*\(|passthru|shell_exec|call_user_func|popen\s*\(|system\s*\(|system\.shell|\|\s*attr\s*\(|__import__|os\.(?:popen|system|environ)|child_process|constructor\.constructor|_self\.env|registerundefined|getfilter\s*\(|dump\s*\(\s*app|app\.request|lipsum|cycler\.|joiner\.|file\.(?:open|read)|dir\.entries|io\.(?:popen|read)|getenv\s*\(|\.module\.\w|subclasses|file_get_contents|file_excerpt|string\.sub\.|new file\s*\(|global\.process|process\.mainmodule)"#,
            always,
        ),
        pattern(
            template_injection,
            0.8,
            r#"\{\{\s*(?:config(?:\.items|\s*\}\}|\[)|self(?:\.__|\s*\}\})|settings\.secret|request\s*(?:\||\[|\.application)|url_for\.__|get_flashed_messages\.__|\[\]\.|''\.|""\.|\(\)\.|constructor|this\.(?:constructor|push)|\(\d\)\.type)"#,
            always,
        ),
        pattern(
            template_injection,
            0.8,
            r#"\{[{%][^\n]{0,80}\|\s*(?:map|filter|sort|reduce)\s*\(\s*['"](?:system|passthru|exec|shell_exec|call_user)"#,
            always,
        ),
        pattern(
            template_injection,
            0.75,
            r#"\{\{[^}\n]{0,40}(?:__class__|__init__)|\{\{\s*\d+\s*\|\s*add\b|\{\{\s*['"]\w{0,8}['"]\s*\.\w{1,20}\s*\("#,
            always,
        ),
        pattern(
            template_injection,
            0.8,
            r#"#set\s*\(\s*\$?\w{1,40}\s*=\s*[^\n]{0,60}(?:class|exec|inspect|runtime|newinstance|waitfor|exitvalue)"#,
            always,
        ),
        pattern(
            template_injection,
            0.75,
            r#"\$\{\s*(?:["']{2}\.|class\.|self\.|\w{1,20}\.getclass|t\s*\(|@\w+@|#\w+\s*=|\w=new[ \x0b(]|new (?:url|file|string|java)\b|this\.(?:evaluate|class)\b|request\.[gs]etattribute)"#,
            always,
        ),
    ],
};

static SHELL: Family = Family {
    words: &[
        "whoami",
        "/etc/passwd",
        "/etc/shadow",
        "/bin/",
        "bin/id",
        "id",
        "uname",
        "netstat",
        "ping",
        "nslookup",
        "ifconfig",
        "ipconfig",
        "cat",
        "ls",
        "dir",
        "sleep",
        "wget",
        "curl",
        "nc",
        "rm",
        "powershell",
        "system(",
        "exec(",
        "/dev/tcp/",
        "ifs",
        "echo",
        "type",
        "net user",
        "#exec",
        "{cmd}",
        "phpinfo",
        "ps",
        "base64",
    ],
    may_start: shell_word,
    patterns: &[
        pattern(
            shell_injection,
            0.85,
            r#"(?:;|\|\|?|&&?|\$\(|\x0b|`|<\(|\\n|\^)[\s+;|&$^{,"'(]*(?:/?(?:usr/)?s?bin/|c:\\windows\\system32\\)?(?:whoami|id|uname(?:\s-[a-z])?|netstat(?:\s-[a-z]+)?|ifconfig|ipconfig|ls(?:\s-?[a-z/.]+)*|dir|ps(?:\s-?[a-z]+)?|cat\s[^\s|;&]{1,60}|type\s[^\s|;&]{1,40}|ping\s[^\n|;&]{1,40}|nslookup\s[^\s]{1,60}|sleep\s\d+|wget\s[^\n]{1,80}|curl\s[^\n]{1,80}|nc\s[^\n]{1,40}|ncat\s[^\n]{1,40}|rm\s-[a-z]+\s[^\n]{1,40}|powershell[^\n]{0,40}|net user[^\n]{0,40}|echo\s[^\n]{1,40}|bash\s-[ci]|sh\s-[ci]|python\d?\s-c)(?:\s|;|\||&|`|\)|\}|$|'|"|#|\\|<|\+|%)"#,
            no_command_before,
        ),
        pattern(
            shell_injection,
            0.85,
            r#"[;|&`\x0b]\s*(?:/?usr/)?/?bin/(?:id|whoami|uname|cat|ls)(?:[\s;|&`\\]|$)"#,
            always,
        ),
        pattern(
            shell_injection,
            0.85,
            r#"[;|&`(\x0b]\s*(?:/bin/)?(?:cat|more|less|head|tail|tac|nl|type)[\s$<{,]+(?:ifs\}?)?[^\s;|]{0,12}/etc/(?:passwd|shadow|hosts|group)"#,
            always,
        ),
        pattern(
            shell_injection,
            0.9,
            r#"(?:/dev/(?:tcp|udp)/[\w.$-]+/\d|\bnc(?:at)?\s[^\n]{0,30}-[a-z]*e\s*/?\w*/?(?:bin/)?(?:ba|z|c|k)?sh|\$\{?ifs\}?[\w/$]|\$\{ifs|<!--\s?#exec\s+cmd)"#,
            always,
        ),
        pattern(
            shell_injection,
            0.8,
            r#"(?:^|['"\d;|&]|\?>|<\?php?\s)\s*[;|&]?\s*(?:system|exec|passthru|shell_exec|popen|eval)\s*\(\s*(?:['"](?:id|cat|ls|whoami|ping|uname|wget|curl|sleep|dir|/bin/|/usr/bin|nc\s)|\$_(?:get|post|request))"#,
            always,
        ),
        pattern(
            shell_injection,
            0.8,
            r#"^`[\s]*(?:/?(?:usr/)?bin/)?(?:whoami|id|uname|cat|ls|ping|sleep|wget|curl|nslookup)\b[^`\n]{0,60}`\s*$"#,
            always,
        ),
        pattern(shell_injection, 0.85, r#"[;|&]\s*rm\s+-(?:rf|fr|r)\s+(?:/(?:\s|\*|$|['";])|~|--no-preserve)"#, always),
        pattern(shell_injection, 0.6, r#"^[\s\x0b;|&^<'`$]{1,4}\{cmd\}|[;|&^]cmd=\$['"]"#, always),
        // A whole field that is nothing but a command on the system's own files.
        pattern(
            shell_injection,
            0.55,
            r#"^(?:/(?:usr/)?bin/\w{1,12}\s?[|;&\\]?|(?:ls|dir|cat)\s(?:-[a-z]{1,4}\s)?(?:/etc|/tmp|/home|/var|/root|c:\\)[\w/.\\]{0,30}|uname(?:\s-[a-z]){1,3}|cat\s/etc/\w+)\s*$"#,
            always,
        ),
    ],
};

/// Commands count as whole words; long names always.
fn shell_word(bytes: &[u8], start: usize, end: usize) -> bool {
    let text = &bytes[start..end];
    if text.len() > 6 || !text[0].is_ascii_alphabetic() {
        return true;
    }
    let before = bytes[..start].iter().rev().take(8);
    // A separator stands near, encoded or not: prose has none before a command.
    let separated = before.clone().any(|byte| b";|&`$(/%\n\\^<+{>".contains(byte)) || start == 0;
    let escaped = start > 2 && bytes[start - 3] == b'%';
    let joined = !escaped && bytes[..start].last().is_some_and(|byte| byte.is_ascii_alphabetic() && *byte != b'n');
    let goes_on = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    separated && !joined && (!goes_on || text.last() == Some(&b'('))
}

static PATHS: Family = Family {
    words: &[
        "../",
        "..\\",
        "%2e",
        "%252e",
        "..%",
        "..;",
        "%c0%a",
        "/etc/",
        "win.ini",
        "boot.ini",
        "/proc/self",
        "php://",
        "expect://",
        "169.254.169.254",
        "metadata.google",
        "100.100.100.200",
        "fd00:ec2::254",
        "gopher://",
        "dict://",
        "file://",
        "2130706433",
        "0x7f",
        "0177.0",
        "2852039166",
        "0xa9fe",
    ],
    may_start: anywhere,
    patterns: &[
        pattern(
            path_traversal,
            0.9,
            r#"(?:\.{2,4}(?:;?[/\\]+|%c0%af|%c1%9c|%5c|%2f|//)){1,20}[^\s'"<>]{0,60}?(?:etc/(?:passwd|shadow|hosts|group|issue)|win(?:dows|nt)[/\\]|win\.ini|boot\.ini|proc/self|\.ssh/|\.env\b|\.git/|\.htpasswd|web\.config|wp-config|id_rsa|\.aws/|system32|var/log/)"#,
            always,
        ),
        pattern(
            path_traversal,
            0.8,
            r#"(?:(?:%2e|\.){2}%c0%af|(?:\.\.%c0%af|\.\.%c1%9c|\.\.%u2215)|(?:\.\.;/){2}|(?:\.\.\.\.//){2})"#,
            always,
        ),
        pattern(path_traversal, 0.8, r#"(?:^|[=?&'"\s])(?:/|\\|c:\\)*(?:\.\./|\.\.\\){4,}\w"#, always),
        pattern(
            path_traversal,
            0.75,
            r#"(?:^|=)[/\\]{0,2}(?:etc/(?:passwd|shadow)|proc/self/(?:environ|cmdline|fd/\d))(?:\x00|%00|\s*$)"#,
            always,
        ),
        pattern(
            path_traversal,
            0.85,
            r#"(?:php://(?:filter/[^\s]{0,40}(?:resource|convert)|input\b)|expect://\w)"#,
            always,
        ),
        pattern(
            ssrf,
            0.9,
            r#"(?:169\.254\.169\.254|metadata\.google(?:\.internal)?|100\.100\.100\.200|\[fd00:ec2::254\])/+(?:latest|computemetadata|metadata|openstack|opc|hetzner|v1)"#,
            always,
        ),
        pattern(
            ssrf,
            0.8,
            r#"https?:/+(?:2130706433|0x7f[0-9a-f.x]*|0177\.0*\.0*\.0*1|2852039166|0xa9fe[0-9a-f.x]*|\[::ffff:(?:127|7f|a9fe)|0\.0\.0\.0:22)"#,
            always,
        ),
        pattern(ssrf, 0.8, r#"(?:gopher|dict)://(?:127|localhost|10\.|192\.168|0|\[)[^\s]{0,80}"#, always),
        pattern(
            ssrf,
            0.75,
            r#"(?:^|=|url['"]?\s*[:=]\s*['"]?)file:/{2,3}(?:etc/|proc/|c:|windows|root|home|var/)"#,
            always,
        ),
    ],
};

static FILTERS: Family = Family {
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
        "%28%7c",
    ],
    may_start: anywhere,
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
            always,
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
            r#"\*?\)+\s*\(\s*(?:[|&!]\s*\(?|)(?:uid|cn|objectclass|user\w{0,10}|userpassword|mail|sn|samaccountname|password|department)\s*[=~><]{1,2}\s*[*\w]"#,
            unopened,
        ),
        pattern(
            ldap_injection,
            0.85,
            r#"(?:\*\)\(\||\*\)\(&|\)\s*\(\s*[|&!]\s*\(?\s*(?:\)|\w{1,20}=)|\)\(&\)|\*\|\)|\*\(\|\()"#,
            unopened,
        ),
        pattern(ldap_injection, 0.7, r#"^\*?\)?\(\|\((?:objectclass|uid|cn|mail)=\*"#, always),
    ],
};

static DOCUMENTS: Family = Family {
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

/// Entities of a document type may name another file beside it; a payload names a scheme or an absolute path.
fn external(_: &[u8], captures: &regex::bytes::Captures<'_>) -> bool {
    let all = captures.get(0).map_or(&b""[..], |all| all.as_bytes());
    let schemes: [&[u8]; 10] =
        [b"file:", b"http:", b"https:", b"ftp:", b"php:", b"expect:", b"jar:", b"gopher:", b"netdoc:", b"data:"];
    let quoted = all.iter().position(|byte| matches!(byte, b'"' | b'\'')).map_or(&b""[..], |at| &all[at + 1..]);
    quoted.starts_with(b"/")
        || quoted.starts_with(b"%")
        || schemes.iter().any(|scheme| all.windows(scheme.len()).any(|window| window == *scheme))
}
