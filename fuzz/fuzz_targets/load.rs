//! A main file and the files that it may include, in memory: the input, cut at lines that begin with `%%`.

#![no_main]

#[path = "../../crates/config/tests/fuzzed/mod.rs"]
mod fuzzed;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| fuzzed::load(bytes));
