//! What every part of the platform shares.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use arc_swap::{ArcSwap, Guard};
use hub::Hub;

use crate::clock::Clock;
use crate::error::Result;
use crate::secret::KeyRing;
use crate::settings::{self, Settings};
use crate::store::Db;

/// What the configuration file says, as far as the platform must know.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder of everything that must survive.
    pub data_dir: PathBuf,
    /// `http.public_url`: comes before the one of the settings.
    pub public_url: Option<String>,
    /// The RTMP address that pages show; `{host}` stands for the page's own host. None where RTMP is off.
    pub rtmp_url: Option<String>,
    /// The same with TLS.
    pub rtmps_url: Option<String>,
    /// How broadcasts are run where a stream says nothing else.
    pub live: hub::Settings,
}

/// The platform: cheap to clone.
#[derive(Clone, Debug)]
pub struct Platform(Arc<Shared>);

/// What all clones share.
#[derive(Debug)]
pub struct Shared {
    /// The database.
    pub db: Db,
    /// The time.
    pub clock: Clock,
    /// What the configuration file says.
    pub options: Options,
    ring: ArcSwap<KeyRing>,
    settings: ArcSwap<Settings>,
    hub: OnceLock<Hub>,
}

impl Deref for Platform {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

impl Platform {
    /// Puts the parts together and reads the settings.
    ///
    /// # Errors
    /// If the database does not answer.
    pub async fn start(db: Db, ring: KeyRing, clock: Clock, options: Options) -> Result<Self> {
        let settings = settings::load(&db).await?;
        Ok(Self(Arc::new(Shared {
            db,
            clock,
            options,
            ring: ArcSwap::from_pointee(ring),
            settings: ArcSwap::from_pointee(settings),
            hub: OnceLock::new(),
        })))
    }
}

impl Shared {
    /// Tells the platform of the hub, which asks it for its authority and so comes later.
    pub fn attach(&self, hub: Hub) {
        let _ = self.hub.set(hub);
    }

    /// The hub, once it is there.
    pub fn hub(&self) -> Option<&Hub> {
        self.hub.get()
    }

    /// The keys that seal.
    pub fn ring(&self) -> Arc<KeyRing> {
        self.ring.load_full()
    }

    /// Takes another key ring: after a rotation.
    pub fn set_ring(&self, ring: KeyRing) {
        self.ring.store(Arc::new(ring));
    }

    /// The settings in force.
    pub fn settings(&self) -> Guard<Arc<Settings>> {
        self.settings.load()
    }

    /// Takes settings that were saved.
    pub fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
    }

    /// The server's own address for links: the configuration's, or the settings'.
    pub fn public_url(&self) -> Option<String> {
        let set = || self.settings().public_url.clone();
        self.options.public_url.clone().or_else(set)
    }
}
