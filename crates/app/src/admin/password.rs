//! A password from whoever sits at the terminal, without showing it.

use std::io::{BufRead, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use platform::secret::Secret;
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Takes one line from standard input.
pub fn from_stdin() -> Result<Secret> {
    let mut line = String::new();
    std::io::stdin()
        .lock()
        .read_line(&mut line)
        .context("cannot read the password")?;
    Ok(Secret::new(line.trim_end_matches(['\r', '\n'])))
}

/// Asks twice.
pub fn ask() -> Result<Secret> {
    if !std::io::stdin().is_terminal() {
        bail!("there is no terminal to ask for the password: use --password-stdin");
    }
    let (first, second) = (hidden("Password: ")?, hidden("Again: ")?);
    if first != second {
        bail!("the two passwords differ");
    }
    Ok(first)
}

fn hidden(prompt: &str) -> Result<Secret> {
    eprint!("{prompt}");
    std::io::stderr().flush()?;
    let stdin = std::io::stdin();
    let shown = tcgetattr(&stdin)?;
    let mut silent = shown.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    tcsetattr(&stdin, OptionalActions::Flush, &silent)?;
    let line = from_stdin();
    tcsetattr(&stdin, OptionalActions::Flush, &shown)?;
    eprintln!();
    line
}
