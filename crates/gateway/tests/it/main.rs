//! The gateway from outside: requests in, answers and spans out, with a simulated provider on a
//! socket and, where a provider must misbehave byte by byte, a hand-written one.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail")]
#![expect(clippy::disallowed_methods, reason = "the bodies of a test are short")]

mod along;
mod answers;
mod batches;
mod bedrock;
mod blocked;
mod checks;
mod choices;
mod cohere;
mod crossing;
mod detours;
mod errors;
mod faults;
mod files;
mod gemini;
mod guard;
mod house;
mod idempotency;
mod judged;
mod labels;
mod limits;
mod memory;
mod own;
mod packed;
mod pains;
mod patience;
mod policies;
mod probes;
mod reload;
mod responses;
mod routes;
mod settle;
mod streams;
mod through;
mod tls;

#[global_allocator]
static ALLOCATOR: memory::Counting = memory::Counting;
