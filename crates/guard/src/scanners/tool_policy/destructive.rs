//! What would delete or overwrite something, by its words.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

/// In names of tools.
const VERBS: &[&str] = &[
    "delete",
    "drop",
    "remove",
    "destroy",
    "purge",
    "wipe",
    "truncate",
    "erase",
    "format",
    "kill",
    "terminate",
    "shutdown",
    "revoke",
    "uninstall",
    "reset",
    "overwrite",
    "unlink",
    "rm",
    "rmdir",
    "del",
    "deprovision",
    "flush",
];

/// Commands of SQL, of shells and of the usual tools.
const COMMANDS: &str = r"(?ix)
    \b(drop|truncate)\s+(table|database|schema|index|view|user|role|keyspace|collection)\b
  | \btruncate\s+\w | \bdelete\s+from\b | \balter\s+table\s+\S+\s+drop\b | \bdrop_?database\s*\( | \bflushall\b | \bdeletemany\s*\(
  | \brm\s+(-{1,2}[a-z-]+\s+)*-{1,2}(r|f|[a-z]*r[a-z]*|[a-z]*f[a-z]*|recursive|force)\b
  | \b(mkfs(\.\w+)?|fdisk|wipefs|shred)\s | \bdd\s[^|;&]*\bof=/dev/ | >\s*/dev/(sd|nvme|disk|hd)
  | \bgit\s+(push\s[^|;&]*(--force\b|-f\b)|reset\s+--hard|clean\s+-[a-z]*f|branch\s+-D)
  | \b(kubectl|helm|oc)\s+(delete|uninstall)\b | \b(terraform|tofu|pulumi|cdk)\s+destroy\b
  | \bdocker\s+(system\s+prune|volume\s+rm|rm\s+-f) | \baws\s[^|;&]*\b(rm|rb|delete-\w+|terminate-instances)\b
  | \b(gcloud|az)\s[^|;&]*\bdelete\b | \b(shutdown|reboot|halt|poweroff)\s+(-|now\b)
  | \bfind\s[^|;&]*\s-delete\b | \bformat\s+[a-z]: | \b(del|rd|rmdir)\s+/[sq]\b | \bremove-item\b[^|;&]*-(recurse|force)\b
  | \b(shutil\.rmtree|os\.remove|os\.unlink|fs\.rm(dir)?(sync)?|fs\.unlink(sync)?)\s*\( | :\(\)\s*\{";

static COMMAND: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(COMMANDS).ok());

/// Whether a tool's name has such a verb among its words: `deleteUser`, `db.drop_table`.
pub(super) fn is_verb(name: &str) -> bool {
    let mut word = String::new();
    let mut before_lower = false;
    for char in name.chars().chain([' ']) {
        let starts = !char.is_alphanumeric() || (char.is_uppercase() && before_lower);
        if starts {
            if VERBS.contains(&word.as_str()) {
                return true;
            }
            word.clear();
        }
        if char.is_alphanumeric() {
            word.extend(char.to_lowercase());
        }
        before_lower = char.is_lowercase();
    }
    false
}

/// Whether an argument is such a command, or says so of an HTTP request.
pub(super) fn is_command(path: &str, leaf: &Value) -> bool {
    let Some(text) = leaf.as_str() else { return false };
    let is_method = path.rsplit('.').next().is_some_and(|name| name.eq_ignore_ascii_case("method"));
    (is_method && text.trim().eq_ignore_ascii_case("delete"))
        || COMMAND.as_ref().is_some_and(|command| command.is_match(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn verbs_are_words_of_a_name() {
        for name in ["delete_user", "deleteUser", "db.drop_table", "users-remove", "rm", "ResetPassword"] {
            assert!(is_verb(name), "{name}");
        }
        for name in ["get_user", "information", "dropdown_options", "killer_app", "formatted", "preset", "search"] {
            assert!(!is_verb(name), "{name}");
        }
    }

    #[test]
    fn commands_are_told_from_talk() {
        assert!(COMMAND.is_some());
        for text in [
            "DROP TABLE users",
            "delete from orders where 1=1",
            "rm -rf /var",
            "sudo rm -f -r x",
            "git push origin main --force",
            "kubectl delete pod x",
            "aws s3 rm s3://b --recursive",
            "dd if=/dev/zero of=/dev/sda",
            "find . -name x -delete",
            "Remove-Item C:\\x -Recurse",
            "shutil.rmtree('/x')",
            "terraform destroy -auto-approve",
            "TRUNCATE orders",
        ] {
            assert!(is_command("sql", &Value::from(text)), "{text}");
        }
        for text in [
            "select * from deleted_items",
            "please drop by tomorrow",
            "the farm is large",
            "git push origin main",
            "aws s3 ls",
            "format the text: bold",
            "how do I remove a stain?",
            "rm is a command",
        ] {
            assert!(!is_command("sql", &Value::from(text)), "{text}");
        }
        assert!(is_command("request.method", &Value::from("DELETE")) && !is_command("note", &Value::from("DELETE")));
    }
}
