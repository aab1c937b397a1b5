//! Commands of whoever runs the server: they work on its database, most of them also while it runs.

mod keyring;
mod keys;
mod password;
mod progress;
mod saving;
mod tokens;
pub mod users;

use anyhow::{Context, Result};

use crate::cli::{Command, DatabaseAction, KeyringAction, Options};
use crate::config::Config;

/// Runs one of them.
///
/// # Errors
/// If it cannot be done: the text says what to do.
pub fn run(command: Command) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.context("cannot start")?.block_on(carry_out(command))
}

async fn carry_out(command: Command) -> Result<()> {
    match command {
        Command::SetupLink(options) => users::setup_link(&config(&options)?).await,
        Command::User { action } => users::run(action).await,
        Command::Token { action } => tokens::run(action).await,
        Command::Key { action } => keys::run(action).await,
        Command::Backup(backup) => saving::backup(&config(&backup.options)?, &backup).await,
        Command::Restore(restore) => saving::restore(&config(&restore.options)?, &restore).await,
        Command::Database {
            action: DatabaseAction::Copy { to, options },
        } => saving::copy(&config(&options)?, &to).await,
        Command::Keyring { action } => match action {
            KeyringAction::Rotate(options) => keyring::rotate(&config(&options)?).await,
            KeyringAction::Retire(options) => keyring::retire(&config(&options)?).await,
        },
        Command::Serve(_) | Command::Demo(_) | Command::Doctor(_) | Command::Config { .. } => {
            unreachable!("these are not commands of the database")
        }
    }
}

fn config(options: &Options) -> Result<Config> {
    crate::gather(options)?.check()
}
