//! The built web app, embedded in the binary.
//!
//! [`get`] finds a file by its path, with its compressed siblings, content type and entity tag. [`shell`] is the one
//! HTML page of the app, ready to take the tags that a route adds to its head. `build.rs` tells where the files come
//! from; a build without Node embeds a small page that says so, and [`built`] is false.

mod asset;
mod shell;

pub use asset::{Asset, Encoding, Variant, get};
pub use shell::{Preload, PreloadKind, Route, Shell, escape, json_script, shell};

/// Whether the real app is embedded, not the page that says it was not built.
pub fn built() -> bool {
    asset::Files::get("shell.txt").is_some()
}
