//! Opens the platform: its database, its key ring, and its place among the routes.

use std::time::Duration;

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Request;
use axum::middleware::map_request;
use delivery::server::{Peer, host};
use platform::Platform;
use platform::actor::Client;
use platform::clock::Clock;
use platform::secret::KeyRing;
use platform::store::Db;
use tracing::{info, warn};

use crate::config::Config;
use crate::{addresses, transcoding};

/// The file of the key ring, in the data folder.
pub const KEY_RING: &str = "keyring.json";
/// The file of the database, in the data folder.
const DATABASE: &str = "headwater.db";
/// How often the key ring's file is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Opens the platform with its database and key ring.
///
/// # Errors
/// If one of them cannot be used: the text says what to do.
pub async fn open(config: &Config) -> Result<Platform> {
    let folder = &config.data_dir;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot use the data folder {}: set data.dir", folder.display()))?;
    let db = database(config).await?;
    let ring = KeyRing::open(&folder.join(KEY_RING))?;
    let options = platform::Options {
        data_dir: folder.clone(),
        public_url: config.http_public_url.clone(),
        rtmp_url: addresses::ingest(config),
        rtmps_url: addresses::secure_ingest(config),
        live: config.live.clone(),
        ladder_presets: transcoding::names(&config.transcode.presets),
        ladder_webhook: config.ladder_webhook.clone(),
        outbound_allow: config.outbound_allow.clone(),
        callbacks: config.publish_callbacks.clone(),
        publish_tokens: config.publish_tokens.clone(),
    };
    Ok(Platform::start(db, ring, Clock::System, options).await?)
}

/// Opens the database that the configuration names.
///
/// # Errors
/// If it does not answer, or a newer program has changed it.
pub async fn database(config: &Config) -> Result<Db> {
    match &config.database_url {
        Some(url) => Db::open(url.expose())
            .await
            .context("cannot use the database of database.url"),
        None => {
            let path = config.data_dir.join(DATABASE);
            let fault = || format!("cannot use the database {}", path.display());
            Db::sqlite(&path).await.with_context(fault)
        }
    }
}

/// Takes up the key ring when `headwater keyring rotate` has changed it.
pub async fn watch_ring(platform: Platform) {
    let path = platform.options.data_dir.join(KEY_RING);
    let changed = || std::fs::metadata(&path).and_then(|file| file.modified()).ok();
    let mut seen = changed();
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let now = changed();
        if now.is_none() || now == seen {
            continue;
        }
        match KeyRing::open(&path) {
            Ok(ring) => {
                info!(newest = ring.newest(), "the key ring was changed and is taken up");
                platform.set_ring(ring);
                seen = now;
            }
            Err(error) => warn!(%error, "the key ring was changed and cannot be used; the old one stays"),
        }
    }
}

/// The platform's routes; each request is told where it comes from.
pub fn router(platform: Platform) -> Router {
    platform::api::router(platform).layer(map_request(tell_client))
}

async fn tell_client(mut request: Request) -> Request {
    if let Some(address) = Peer::of(&request).map(|peer| peer.address) {
        let client = Client {
            address,
            secure: Peer::is_private(&request),
            host: host::of(&request).map(str::to_owned),
        };
        request.extensions_mut().insert(client);
    }
    request
}
