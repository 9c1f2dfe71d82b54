//! Tool calls and the steps of agents.

mod allowed;
mod call;
pub(crate) mod calls;
pub(crate) mod goals;
mod python;
pub(crate) mod trajectory;
