//! Conversations as emitters write them, to messages of the conventions.

mod message;
mod part;
mod tool;

pub(crate) use message::{instructions, messages, role};
pub(crate) use part::{arguments, image_at};
pub(crate) use tool::tools;
