//! One file of any bytes: read, split, put into blocks, understood, and every finding rendered.

#![no_main]

#[path = "../../crates/config/tests/fuzzed/mod.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::source_and_tree(bytes));
