//! How far long work is: a line that changes on a terminal, nothing elsewhere.

use std::io::{IsTerminal, Write};
use std::sync::Arc;

use platform::transfer::Progress;

/// Shows tables and rows.
pub fn rows() -> Progress {
    let shown = std::io::stderr().is_terminal();
    Arc::new(move |table, rows| {
        if shown {
            let _ = write!(std::io::stderr(), "\r\x1b[K{rows} rows, {table}");
        }
    })
}

/// Removes the line again.
pub fn end() {
    if std::io::stderr().is_terminal() {
        let _ = write!(std::io::stderr(), "\r\x1b[K");
    }
}
