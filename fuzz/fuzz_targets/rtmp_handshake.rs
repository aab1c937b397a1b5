#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| rtmp::fuzz::handshake(bytes));
