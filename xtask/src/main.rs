//! The repository's own rules as small programs: `cargo xtask layers`, `cargo xtask docs`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Result;

mod docs;
mod generated;
mod layers;
mod links;

const USAGE: &str = "usage: cargo xtask layers | docs [--write]";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match arguments[..] {
        ["layers"] => layers::check(&root()),
        ["docs"] => docs::check(&root()),
        ["docs", "--write"] => generated::write(&root()),
        _ => {
            eprintln!("{USAGE}");
            return ExitCode::from(2);
        }
    };
    exit_code(outcome)
}

fn exit_code(outcome: Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// The workspace's folder: the parent of this crate's.
fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("xtask lies inside the workspace").to_path_buf()
}
