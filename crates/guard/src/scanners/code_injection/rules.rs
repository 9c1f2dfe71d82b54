//! The kinds of injection: names, severities, messages. Sorted by name.

use signalbox_types::Severity;

use crate::scanner::Rule;

macro_rules! rules {
    ($($name:ident $severity:ident $what:literal;)+) => {
        /// Names a rule; its number is its place in [`ALL`].
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        #[expect(non_camel_case_types, reason = "these are the names that people write in policies")]
        pub(super) enum Id { $($name),+ }

        pub(super) static ALL: &[Rule] = &[$(Rule {
            name: stringify!($name),
            severity: Severity::$severity,
            message: $what,
        }),+];
    };
}

impl Id {
    pub(super) fn rule(self) -> &'static Rule {
        &ALL[self as usize]
    }
}

rules! {
    ldap_injection High "Text that would change an LDAP filter. Escape it as RFC 4515 says before it becomes a part of one.";
    nosql_injection High "Text that would change a query of a document store. Accept strings only where strings are meant.";
    path_traversal High "A path that leaves its folder. Resolve paths and check where they lead before a file is opened.";
    shell_injection Critical "Text that a shell would run. Give arguments to programs as a list, never through a shell.";
    sql_injection Critical "Text that would change an SQL statement. Bind it as a parameter, never join it into a statement.";
    ssrf High "An address that only the server can reach. Resolve and check addresses before they are fetched.";
    template_injection Critical "Text that a template engine would run. Give it to templates as a value, never as a template.";
    xss High "Text that a browser would run. Escape it for where it is shown.";
    xxe High "An XML document that reads files or addresses. Switch external entities off in the parser.";
}
