//! What scanners find and what is done about it.

use serde::{Deserialize, Serialize};

macro_rules! closed_set {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, utoipa::ToSchema, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            /// Every one, weakest first.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name in configuration, storage and API.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text),+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

closed_set!(
    /// How bad a finding is.
    Severity { Low = "low", Medium = "medium", High = "high", Critical = "critical" }
);
closed_set!(
    /// Where the text stood.
    Place {
        /// What the caller sends.
        Input = "input",
        /// What the model answers.
        Output = "output",
    }
);
closed_set!(
    /// What a policy does about a finding, weakest first.
    Action {
        /// Record it; change nothing.
        Flag = "flag",
        /// Replace the found text by a placeholder, and put it back where an answer repeats that.
        Tokenise = "tokenise",
        /// Replace the found text by a mark.
        Redact = "redact",
        /// Answer with a reply that is safe, in place of what would be said.
        Rewrite = "rewrite",
        /// Refuse the call, or end the stream.
        Block = "block",
    }
);
closed_set!(
    /// What became of a call, weakest first: the strongest action taken on it.
    Verdict {
        /// Nothing was found.
        Allow = "allow",
        /// Something was found and only recorded.
        Flag = "flag",
        /// Something was replaced.
        Redact = "redact",
        /// The call was refused or cut, or another reply was given.
        Block = "block",
    }
);

impl From<Action> for Verdict {
    fn from(action: Action) -> Self {
        match action {
            Action::Flag => Self::Flag,
            Action::Tokenise | Action::Redact => Self::Redact,
            Action::Rewrite | Action::Block => Self::Block,
        }
    }
}

/// One hit of a scanner. It says where, never what: the found text may be a secret.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, utoipa::ToSchema)]
pub struct Finding {
    /// The scanner's name, e.g. `secrets`.
    pub scanner: String,
    /// The rule within it, e.g. `openai_api_key`.
    pub rule: String,
    /// How bad it is.
    pub severity: Severity,
    /// How sure the scanner is: 0 to 1.
    pub confidence: f32,
    /// Input or output.
    pub place: Place,
    /// Offset of the first byte, in UTF-8 bytes of the scanned text.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
    /// What the policy did.
    pub action: Action,
    /// What it means and what to do, in a sentence.
    pub message: String,
}
