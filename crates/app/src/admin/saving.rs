//! `headwater backup`, `restore` and `database copy`.

use std::fs::{File, OpenOptions};
use std::io::BufWriter;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use anyhow::{Context, Result, bail};
use platform::clock::Clock;
use platform::secret::{KeyRing, reseal};
use platform::store::Db;
use platform::transfer;

use super::progress;
use crate::accounts::{self, KEY_RING};
use crate::cli;
use crate::config::Config;

/// Saves everything that the database holds.
pub async fn backup(config: &Config, wanted: &cli::Backup) -> Result<()> {
    let db = accounts::database(config).await?;
    let path = config.data_dir.join(KEY_RING);
    let ring = KeyRing::open(&path)?;
    let key_ring = wanted
        .with_key_ring
        .then(|| std::fs::read_to_string(&path))
        .transpose()?;
    let file = wanted.file.display();
    let out = create(&wanted.file)?;
    let saved = transfer::backup(
        &db,
        &ring,
        key_ring,
        BufWriter::new(&out),
        Clock::System.now(),
        progress::rows(),
    )
    .await;
    progress::end();
    if saved.is_err() {
        let _ = std::fs::remove_file(&wanted.file);
    }
    let rows = saved?;
    out.sync_all().with_context(|| format!("cannot write {file}"))?;
    println!("saved {rows} rows to {file}");
    if !wanted.with_key_ring {
        println!(
            "the key ring is not in it: keep a copy of {} in another place",
            path.display()
        );
    }
    Ok(())
}

/// Only its owner may read it: it holds people's addresses.
fn create(path: &Path) -> Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    file.with_context(|| format!("cannot make {}: choose a name that does not exist yet", path.display()))
}

/// Puts a backup back.
pub async fn restore(config: &Config, wanted: &cli::Restore) -> Result<()> {
    let file = File::open(&wanted.file).with_context(|| format!("cannot open {}", wanted.file.display()))?;
    let backup = transfer::Backup::open(file)?;
    std::fs::create_dir_all(&config.data_dir)?;
    let head = backup.head.clone();
    let ring = settle_ring(&config.data_dir.join(KEY_RING), &head, wanted.replace)?;
    let db = accounts::database(config).await?;
    let restored = backup.restore(&db, wanted.replace, progress::rows()).await;
    progress::end();
    let rows = match restored {
        Err(transfer::Error::NotEmpty(people)) => {
            bail!(
                "the database holds {people} accounts already: --replace removes them, or set database.url to another"
            )
        }
        other => other?,
    };
    println!("restored {rows} rows, saved {} from {}", head.created_at, head.engine);
    tell_what_is_lost(&db, &head, &ring).await
}

/// The ring of the backup where it has one; else the one that is there.
fn settle_ring(path: &Path, head: &transfer::Head, replace: bool) -> Result<KeyRing> {
    let Some(text) = &head.key_ring else {
        return Ok(KeyRing::open(path)?);
    };
    if path.exists() {
        let there = KeyRing::open(path)?;
        if head.fits(&there) {
            return Ok(there);
        }
        if !replace {
            bail!(
                "{} is not the key ring of this backup: move it away, or use --replace",
                path.display()
            );
        }
        std::fs::rename(path, path.with_extension("before-restore"))?;
    }
    let mut file = create(path)?;
    std::io::Write::write_all(&mut file, text.as_bytes())?;
    file.sync_all()?;
    Ok(KeyRing::open(path)?)
}

async fn tell_what_is_lost(db: &Db, head: &transfer::Head, ring: &KeyRing) -> Result<()> {
    let sealed = reseal::count(db).await?;
    if head.fits(ring) || sealed == 0 {
        return Ok(());
    }
    println!(
        "lost without the key ring of the backup: {sealed} sealed secrets (stream keys, authenticator apps, the passwords of mail \
         server and identity providers). Put that key ring in place as {KEY_RING} and start again, or let their owners make new ones. \
         Accounts, passwords, passkeys and channels are whole."
    );
    Ok(())
}

/// Copies everything into another database.
pub async fn copy(config: &Config, to: &str) -> Result<()> {
    let from = accounts::database(config).await?;
    let to = Db::open(to).await.context("cannot use the other database")?;
    let copied = transfer::copy(&from, &to, progress::rows()).await;
    progress::end();
    let rows = match copied {
        Err(transfer::Error::NotEmpty(people)) => {
            bail!("the other database holds {people} accounts already: choose an empty one")
        }
        other => other?,
    };
    to.close().await;
    println!(
        "copied {rows} rows from {} to {}; now set database.url",
        from.engine(),
        to.engine()
    );
    Ok(())
}
