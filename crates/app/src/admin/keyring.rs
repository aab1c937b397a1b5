//! `headwater keyring rotate` and `retire`.

use anyhow::{Result, bail};
use platform::secret::KeyRing;
use platform::secret::reseal::reseal;

use crate::accounts::{self, KEY_RING};
use crate::config::Config;

/// Adds a key and seals everything with it.
pub async fn rotate(config: &Config) -> Result<()> {
    let db = accounts::database(config).await?;
    let path = config.data_dir.join(KEY_RING);
    let mut ring = KeyRing::open(&path)?;
    ring.rotate();
    // First the file, then the values: a crash in between leaves nothing that no key opens.
    ring.save(&path)?;
    let done = reseal(&db, &ring).await?;
    println!(
        "key {} seals from now on; {} secrets were sealed anew",
        ring.newest(),
        done.renewed
    );
    if done.closed > 0 {
        bail!(
            "{} secrets open with no key of the ring: they were sealed with another one",
            done.closed
        );
    }
    println!("once the server has taken the new key up (10 s), run: headwater keyring retire");
    Ok(())
}

/// Forgets the older keys.
pub async fn retire(config: &Config) -> Result<()> {
    let db = accounts::database(config).await?;
    let path = config.data_dir.join(KEY_RING);
    let mut ring = KeyRing::open(&path)?;
    let left = reseal(&db, &ring).await?;
    if left.renewed > 0 {
        println!(
            "{} secrets were still sealed with an older key, and are sealed anew",
            left.renewed
        );
    }
    ring.retire();
    ring.save(&path)?;
    println!(
        "key {} is the only one left; backups made before need the older key ring",
        ring.newest()
    );
    Ok(())
}
