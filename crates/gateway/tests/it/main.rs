//! The gateway from outside: requests in, answers and spans out, with a simulated provider on a
//! socket and, where a provider must misbehave byte by byte, a hand-written one.

mod answers;
mod errors;
mod guard;
mod house;
mod labels;
mod limits;
mod settle;
mod streams;
