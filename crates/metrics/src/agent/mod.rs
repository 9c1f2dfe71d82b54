//! Tool calls and the steps of agents.

mod allowed;
mod call;
pub(crate) mod calls;
mod python;
pub(crate) mod trajectory;
