//! `headwater key`.

use anyhow::{Context, Result, bail};
use platform::Platform;
use platform::audit::Act;
use platform::id::Id;
use platform::streams::keys::{self, Key, Making};
use serde_json::json;

use super::config;
use crate::accounts;
use crate::cli::KeyAction;

/// Runs one of the commands.
pub async fn run(action: KeyAction) -> Result<()> {
    match action {
        KeyAction::Create {
            channel,
            name,
            expires_in,
            json,
            options,
        } => {
            create(
                &accounts::open(&config(&options)?).await?,
                &channel,
                name,
                expires_in,
                json,
            )
            .await
        }
        KeyAction::List { channel, json, options } => {
            list(&accounts::open(&config(&options)?).await?, &channel, json).await
        }
        KeyAction::Revoke { channel, id, options } => {
            revoke(&accounts::open(&config(&options)?).await?, &channel, id).await
        }
    }
}

/// The main stream of a channel.
async fn stream_of(platform: &Platform, handle: &str) -> Result<Id> {
    let wanted = handle.to_lowercase();
    let found = platform
        .db
        .read(|c| Box::pin(async move { platform::channels::main_stream(c, &wanted).await }));
    found.await?.with_context(|| format!("there is no channel {handle}"))
}

async fn create(
    platform: &Platform,
    channel: &str,
    name: String,
    expires_in_days: Option<u32>,
    as_json: bool,
) -> Result<()> {
    let (stream, now, ring) = (
        stream_of(platform, channel).await?,
        platform.clock.now(),
        platform.ring(),
    );
    let quota = platform.settings().quotas.keys_per_stream;
    let made = platform.db.write(move |c| {
        Box::pin(async move {
            let making = Making {
                ring: &ring,
                by: None,
                quota,
                now,
            };
            let made = keys::create(c, making, &stream, &name, expires_in_days).await?;
            Act::by_shell("key.create", ("key", made.0.id.as_str()))
                .record(c, now)
                .await?;
            Ok(made)
        })
    });
    let (key, secret) = made.await.map_err(platform::Error::from)?;
    if as_json {
        println!("{}", json!({"id": key.id, "secret": secret.expose()}));
    } else {
        println!("{}", secret.expose());
        eprintln!("publish with it as the stream key; the studio shows it again");
    }
    Ok(())
}

async fn list(platform: &Platform, channel: &str, as_json: bool) -> Result<()> {
    let stream = stream_of(platform, channel).await?;
    let list = platform
        .db
        .read(|c| Box::pin(async move { keys::list(c, &stream).await }))
        .await?;
    if as_json {
        println!("{}", serde_json::Value::from_iter(list.iter().map(shown)));
        return Ok(());
    }
    for key in list {
        let ends = key.expires_at.map(|end| format!("until {end}")).unwrap_or_default();
        println!("{}  {}  {}  {ends}", key.id, key.created_at, key.name);
    }
    Ok(())
}

fn shown(key: &Key) -> serde_json::Value {
    json!({
        "id": key.id, "name": key.name, "primary": key.is_primary, "created_at": key.created_at,
        "expires_at": key.expires_at, "used_at": key.used_at,
    })
}

async fn revoke(platform: &Platform, channel: &str, id: String) -> Result<()> {
    let (stream, now) = (stream_of(platform, channel).await?, platform.clock.now());
    let key: Id = serde_json::from_value(json!(id))?;
    let revoked = platform.db.write(move |c| {
        Box::pin(async move {
            let revoked = keys::revoke(c, &stream, &key, now).await?;
            if revoked {
                Act::by_shell("key.revoke", ("key", key.as_str()))
                    .record(c, now)
                    .await?;
            }
            Ok(revoked)
        })
    });
    if !revoked.await? {
        bail!("{channel} has no such key: headwater key list --channel {channel}");
    }
    println!("revoked {id}; a source that uses it ends within seconds");
    Ok(())
}
