//! What changes the price of tokens that are counted already.

use super::StreamEvent;

/// What an answer tells of its price beside the counts of [`Usage`](signalbox_types::Usage). Absent is not zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Charges {
    /// So many of the tokens that were written to a cache are kept for an hour, which costs more.
    pub one_hour_writes: Option<u64>,
    /// Of the input, sound.
    pub audio_input: Option<u64>,
    /// Of the output, sound.
    pub audio_output: Option<u64>,
    /// Of the input, pictures.
    pub image_input: Option<u64>,
    /// Of the output, pictures.
    pub image_output: Option<u64>,
    /// How it was served, if not as usual.
    pub service: Option<ServiceTier>,
}

/// Ways to be served that providers take other prices for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ServiceTier {
    /// Sent together with others, and answered within a day.
    Batch,
    /// Answered when there is room.
    Flex,
    /// Answered before others.
    Priority,
}

impl ServiceTier {
    /// By a provider's word for it. `default`, `standard` and `auto` are as usual; what else there is has no price that
    /// anybody lists.
    pub(crate) fn of(word: &str) -> Option<Self> {
        Some(match word.to_ascii_lowercase().as_str() {
            "batch" => Self::Batch,
            "flex" | "on_demand_flex" => Self::Flex,
            "priority" | "on_demand_priority" => Self::Priority,
            _ => return None,
        })
    }

    /// The word for the record.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Batch => "batch",
            Self::Flex => "flex",
            Self::Priority => "priority",
        }
    }
}

impl Charges {
    /// What is told later, in a stream, replaces what was told before.
    pub(crate) fn update(&mut self, later: Self) {
        self.one_hour_writes = later.one_hour_writes.or(self.one_hour_writes);
        self.audio_input = later.audio_input.or(self.audio_input);
        self.audio_output = later.audio_output.or(self.audio_output);
        self.image_input = later.image_input.or(self.image_input);
        self.image_output = later.image_output.or(self.image_output);
        self.service = later.service.or(self.service);
    }

    /// Nothing is told when nothing is said.
    pub(crate) fn tell(self, out: &mut Vec<StreamEvent>) {
        if self != Self::default() {
            out.push(StreamEvent::Charges(self));
        }
    }
}
