//! `headwater token`.

use anyhow::{Result, bail};
use platform::Platform;
use platform::audit::Act;
use platform::id::Id;
use platform::people::tokens::{self, New, Scope, Token};
use serde_json::json;

use super::config;
use super::users::by_email;
use crate::accounts;
use crate::cli::{self, TokenAction};

/// Runs one of the commands.
pub async fn run(action: TokenAction) -> Result<()> {
    match action {
        TokenAction::Create {
            user,
            name,
            scope,
            expires_in,
            json,
            options,
        } => {
            let platform = accounts::open(&config(&options)?).await?;
            let scopes: Vec<_> = scope.into_iter().map(Scope::from).collect();
            create(&platform, &user, name, scopes, expires_in, json).await
        }
        TokenAction::List { user, json, options } => {
            list(&accounts::open(&config(&options)?).await?, &user, json).await
        }
        TokenAction::Revoke { user, id, options } => {
            revoke(&accounts::open(&config(&options)?).await?, &user, id).await
        }
    }
}

impl From<cli::Scope> for Scope {
    fn from(scope: cli::Scope) -> Self {
        match scope {
            cli::Scope::Read => Self::Read,
            cli::Scope::Write => Self::Write,
            cli::Scope::Keys => Self::Keys,
            cli::Scope::Admin => Self::Admin,
        }
    }
}

fn environment(platform: &Platform) -> Result<Id> {
    match &platform.settings().home {
        Some(home) => Ok(home.environment.clone()),
        None => bail!("the server has no owner yet: headwater user create --role owner, or open headwater setup-link"),
    }
}

async fn create(
    platform: &Platform,
    email: &str,
    name: String,
    scopes: Vec<Scope>,
    expires_in_days: Option<u32>,
    as_json: bool,
) -> Result<()> {
    let (user, environment, now) = (
        by_email(platform, email).await?.id,
        environment(platform)?,
        platform.clock.now(),
    );
    let made = platform.db.write(move |c| {
        Box::pin(async move {
            let new = New {
                user: &user,
                environment: &environment,
                name: &name,
                scopes: &scopes,
                expires_in_days,
            };
            let made = tokens::create(c, new, now).await?;
            Act::by_shell("token.create", ("token", made.0.id.as_str()))
                .record(c, now)
                .await?;
            Ok(made)
        })
    });
    let (token, secret) = made.await.map_err(platform::Error::from)?;
    if as_json {
        println!("{}", json!({"id": token.id, "secret": secret.expose()}));
    } else {
        println!("{}", secret.expose());
        eprintln!("this is the only time that it is shown; it goes into the header  Authorization: Bearer …");
    }
    Ok(())
}

async fn list(platform: &Platform, email: &str, as_json: bool) -> Result<()> {
    let (user, environment) = (by_email(platform, email).await?.id, environment(platform)?);
    let list = platform
        .db
        .read(|c| Box::pin(async move { tokens::list(c, &user, &environment).await }));
    let list = list.await?;
    if as_json {
        println!("{}", serde_json::Value::from_iter(list.iter().map(shown)));
        return Ok(());
    }
    for token in list {
        let ends = token.expires_at.map(|end| format!("until {end}")).unwrap_or_default();
        println!("{}  {}  {}  {ends}", token.id, token.created_at, token.name);
    }
    Ok(())
}

fn shown(token: &Token) -> serde_json::Value {
    json!({
        "id": token.id, "name": token.name, "scopes": token.scopes.0, "created_at": token.created_at,
        "expires_at": token.expires_at, "used_at": token.used_at,
    })
}

async fn revoke(platform: &Platform, email: &str, id: String) -> Result<()> {
    let (user, environment, now) = (
        by_email(platform, email).await?.id,
        environment(platform)?,
        platform.clock.now(),
    );
    let token: Id = serde_json::from_value(json!(id))?;
    let revoked = platform.db.write(move |c| {
        Box::pin(async move {
            let revoked = tokens::revoke(c, &user, &environment, &token, now).await?;
            if revoked {
                Act::by_shell("token.revoke", ("token", token.as_str()))
                    .record(c, now)
                    .await?;
            }
            Ok(revoked)
        })
    });
    if !revoked.await? {
        bail!("{email} has no such token: headwater token list --user {email}");
    }
    println!("revoked {id}");
    Ok(())
}
