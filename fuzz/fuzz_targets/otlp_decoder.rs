//! Whatever arrives: decoding it as OTLP, protobuf and JSON, and understanding it answers.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| signalbox_ingest::read_whatever(bytes));
