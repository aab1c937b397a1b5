#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| media::codec::fuzz::aac(bytes));
