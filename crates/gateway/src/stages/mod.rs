//! One stage of a call's life per file. A stage takes the call and returns or fails; it never calls
//! another stage.

pub(crate) mod admit;
pub(crate) mod again;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod guard_in;
pub(crate) mod guard_out;
pub(crate) mod route;
pub(crate) mod send;
pub(crate) mod settle;
