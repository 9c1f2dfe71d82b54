//! What a shell would run, and files and addresses that only the system should reach.

use super::checks::{always, no_command_before, path_word};
use super::patterns::{Family, pattern};
use super::rules::Id::{path_traversal, shell_injection, ssrf};

pub(super) static SHELL: Family = Family {
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
        "net view",
        "net localgroup",
        "{ :;",
        "{:;",
        "#exec",
        "{cmd}",
        "phpinfo",
        "env",
        "python",
        "ps",
        "base64",
    ],
    may_start: shell_word,
    patterns: &[
        pattern(shell_injection, 0.9, r#"\(\)\s*\{\s?:;\s?\}\s*;"#, always),
        pattern(
            shell_injection,
            0.85,
            r#"(?:;|\|\|?|&&?|\$\(|\x0b|`|<\(|\\n|\^)[ \x0b+;|&$^{,"'(]*(?:/?(?:usr/)?s?bin/|c:\\windows\\system32\\)?(?:(?:whoami|id|uname(?:\s-[a-z])?|netstat(?:\s-[a-z]+)?|ifconfig|ipconfig|ls(?:\s-?[a-z/.]+)?|dir|ps(?:\s-?[a-z]+)?|env)(?:\s|;|\||&|`|\)|\}|$|'|"|#|\\|<|\+|%)|(?:cat|type|ping|nslookup|sleep|wget|curl|nc|ncat|echo)[\s,+]+[^\s|;&]|rm\s-[a-z]+\s|powershell\b|net (?:user|view|localgroup)\b|(?:ba)?sh\s-[ci]|python\d?\s-c)"#,
            no_command_before,
        ),
        pattern(
            shell_injection,
            0.75,
            r#"[;'"\d]\s*;\s*phpinfo\s*\(|^[\w'"]{0,8};\s*phpinfo|<\?(?:php|=)[^\n]{0,60}(?:system|shell_exec|passthru|exec|eval|assert)\s*\(\s*(?:\$_|base64|['"](?:ls|id|whoami|cat|dir|uname)\b)"#,
            always,
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
    let separated = before.clone().any(|byte| b";|&`$(%\\^<+,".contains(byte)) || start == 0;
    let escaped = start > 2 && bytes[start - 3] == b'%';
    let joined = !escaped && bytes[..start].last().is_some_and(|byte| byte.is_ascii_alphabetic() && *byte != b'n');
    let numbered = text.eq_ignore_ascii_case(b"python") && bytes.get(end) == Some(&b'3');
    let goes_on = bytes.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') && !numbered;
    separated && !joined && (!goes_on || text.last() == Some(&b'('))
}

pub(super) static PATHS: Family = Family {
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
        "//127.",
        "//0",
        "[::",
        "0177.0",
        "2852039166",
        "0xa9fe",
    ],
    may_start: path_word,
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
            r#"https?:/+(?:2130706433|0x7f[0-9a-f.x]*|0177\.0*\.0*\.0*1|2852039166|0xa9fe[0-9a-f.x]*|\[::ffff:(?:127|7f|a9fe)|\[::\]|0\.0\.0\.0:22|127\.\d{1,3}(?:[/:\s]|$)|0(?:[/:]|$)|(?:127\.0\.0\.1|169\.254\.169\.254)\.nip\.io)"#,
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
