//! The repository's own rules as small programs.
fn main() {}
