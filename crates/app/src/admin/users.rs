//! `headwater user` and `setup-link`.

use anyhow::{Context, Result, bail};
use platform::Platform;
use platform::authorize::Role;
use platform::people::email::Email;
use platform::people::users::{self, User};
use platform::people::{setup, users::Account};

use super::{config, password};
use crate::cli::{self, UserAction};
use crate::config::Config;
use crate::{accounts, addresses};

/// Runs one of the commands.
pub async fn run(action: UserAction) -> Result<()> {
    let UserAction::Create {
        email,
        name,
        role,
        password_stdin,
        options,
    } = action;
    let platform = accounts::open(&config(&options)?).await?;
    let password = if password_stdin {
        password::from_stdin()
    } else {
        password::ask()
    }?;
    let account = Account {
        email: Email::new(email),
        name,
        password,
        role: role.map(Role::from),
    };
    let id = users::create(&platform, account).await?;
    println!("{id}");
    Ok(())
}

impl From<cli::Role> for Role {
    fn from(role: cli::Role) -> Self {
        match role {
            cli::Role::Viewer => Self::Viewer,
            cli::Role::Creator => Self::Creator,
            cli::Role::Moderator => Self::Moderator,
            cli::Role::Admin => Self::Admin,
            cli::Role::Owner => Self::Owner,
        }
    }
}

/// Prints the address at which a new server is set up.
pub async fn setup_link(config: &Config) -> Result<()> {
    let platform = accounts::open(config).await?;
    match setup_address(config, &platform).await? {
        Some(address) => println!("{address}"),
        None => bail!("the server has an owner already: sign in at {}", page(config)),
    }
    Ok(())
}

/// The address at which a new server is set up; `None` once it has an owner.
///
/// # Errors
/// Those of the database.
pub async fn setup_address(config: &Config, platform: &Platform) -> Result<Option<String>> {
    let path = setup::link(platform).await?;
    Ok(path.map(|path| format!("{}{}", page(config), path.expose())))
}

fn page(config: &Config) -> String {
    addresses::page(config).unwrap_or_default()
}

/// The account of an address.
///
/// # Errors
/// If there is none.
pub async fn by_email(platform: &Platform, email: &str) -> Result<User> {
    let key = Email::new(email).key();
    let found = platform
        .db
        .read(|c| Box::pin(async move { users::by_key(c, &key).await }))
        .await?;
    found.with_context(|| format!("there is no account with the address {email}"))
}
