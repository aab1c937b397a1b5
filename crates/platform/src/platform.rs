//! What every part of the platform shares.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use arc_swap::{ArcSwap, Guard};
use hub::{Hub, Ladder, Rung};
use ipnet::IpNet;
use tokio::sync::{broadcast, watch};

use crate::api::{Allowances, Limits};
use crate::callback::{self, Callbacks};
use crate::clock::Clock;
use crate::error::Result;
use crate::https::Https;
use crate::id::Id;
use crate::images;
use crate::ladder::{self, Webhook};
use crate::live_state::LiveState;
use crate::obs;
use crate::outbound::Outbound;
use crate::people::Doors;
use crate::people::oidc::Discovery;
use crate::publish_token::{self, PublishTokens};
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
    /// The names of the presets that a stream may ask its ladder from.
    pub ladder_presets: Vec<String>,
    /// Who else is asked about ladders.
    pub ladder_webhook: Option<ladder::webhook::Options>,
    /// Private networks that the server itself may call.
    pub outbound_allow: Vec<IpNet>,
    /// Who else is asked about publishers and players.
    pub callbacks: Option<callback::Options>,
    /// Whose publish tokens are accepted.
    pub publish_tokens: Option<publish_token::Options>,
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
    /// The client for all that the server itself calls.
    pub outbound: Outbound,
    /// Who else is asked about publishers and players.
    pub callbacks: Option<Callbacks>,
    /// Who else is asked about ladders.
    pub ladder_webhook: Option<Webhook>,
    /// Whoever makes ladders.
    pub(crate) transcoding: ladder::Seams,
    /// Reads publish tokens, where they are accepted.
    pub publish_tokens: Option<PublishTokens>,
    /// What stands between a stranger and an account.
    pub doors: Doors,
    /// What identity providers say of themselves.
    pub discovery: Discovery,
    /// How often everybody may ask.
    pub limits: Limits,
    /// How many codes each person may still try.
    pub codes: Allowances<Id>,
    /// Where pictures are decoded.
    pub pictures: images::Studio,
    ring: ArcSwap<KeyRing>,
    settings: ArcSwap<Settings>,
    hub: OnceLock<Hub>,
    viewers: OnceLock<Viewers>,
    https: OnceLock<HttpsOf>,
    ladders: OnceLock<Ladders>,
    changes: broadcast::Sender<Change>,
    settings_changed: watch::Sender<()>,
    /// What is known of live streams.
    pub live: LiveState,
}

/// Something about which others have drawn conclusions is no longer as it was: look again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// A stream key was revoked or rotated.
    Key(Id),
    /// A stream was disabled, deleted, or got other settings, keys or playback ids.
    Stream(Id),
    /// A channel got another handle, visibility or members, or was deleted.
    Channel(Id),
    /// A person was suspended, restored or erased, or has other roles.
    User(Id),
}

/// How often the settings are read again.
const SETTINGS_READ_EVERY: Duration = Duration::from_secs(5);
/// Changes that a slow listener may be behind before it misses some and must look at everything again.
const CHANGES_MAX: usize = 1_024;

/// Counts the viewers of a live stream by its name.
struct Viewers(Box<Count>);

type Count = dyn Fn(&str) -> Option<u64> + Send + Sync;

impl std::fmt::Debug for Viewers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Viewers")
    }
}

/// Says which rungs a ladder has.
struct Ladders(Box<RungsOf>);

type RungsOf = dyn Fn(&Ladder) -> Option<Vec<Rung>> + Send + Sync;

impl std::fmt::Debug for Ladders {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Ladders")
    }
}

/// Says how it stands with HTTPS.
struct HttpsOf(Box<dyn Fn() -> Https + Send + Sync>);

impl std::fmt::Debug for HttpsOf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("HttpsOf")
    }
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
        let outbound = Outbound::new(options.outbound_allow.clone());
        let callbacks = options.callbacks.clone();
        let tokens = options.publish_tokens.clone();
        let ladder_webhook = options.ladder_webhook.clone();
        Ok(Self(Arc::new(Shared {
            db,
            callbacks: callbacks.map(|options| Callbacks::new(outbound.clone(), clock.clone(), options)),
            ladder_webhook: ladder_webhook.map(|options| Webhook::new(outbound.clone(), clock.clone(), options)),
            transcoding: ladder::Seams::default(),
            publish_tokens: tokens.map(|options| PublishTokens::new(outbound.clone(), clock.clone(), options)),
            outbound,
            doors: Doors::new(&clock),
            discovery: Discovery::default(),
            limits: Limits::new(&clock),
            codes: Allowances::new(crate::people::factors::code_quota(), &clock),
            clock,
            options,
            pictures: images::Studio::default(),
            ring: ArcSwap::from_pointee(ring),
            settings: ArcSwap::from_pointee(settings),
            hub: OnceLock::new(),
            viewers: OnceLock::new(),
            https: OnceLock::new(),
            ladders: OnceLock::new(),
            settings_changed: watch::Sender::new(()),
            changes: broadcast::Sender::new(CHANGES_MAX),
            live: LiveState::default(),
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

    /// Tells the platform how viewers are counted: by whoever serves them.
    pub fn count_viewers_by(&self, count: impl Fn(&str) -> Option<u64> + Send + Sync + 'static) {
        let _ = self.viewers.set(Viewers(Box::new(count)));
    }

    /// How many watch the live stream of that name of the hub; `None` where nobody counts.
    pub fn viewers(&self, name: &str) -> Option<u64> {
        self.viewers.get().and_then(|viewers| viewers.0(name))
    }

    /// Tells the platform who knows of HTTPS: whoever serves it.
    pub fn ask_of_https(&self, tell: impl Fn() -> Https + Send + Sync + 'static) {
        let _ = self.https.set(HttpsOf(Box::new(tell)));
    }

    /// How it stands with HTTPS; as if there were none where nobody serves.
    pub fn https(&self) -> Https {
        self.https.get().map(|https| https.0()).unwrap_or_default()
    }

    /// Tells the platform who knows the presets of ladders. `None` where one has no rungs of its own.
    pub fn resolve_ladders_by(&self, resolve: impl Fn(&Ladder) -> Option<Vec<Rung>> + Send + Sync + 'static) {
        let _ = self.ladders.set(Ladders(Box::new(resolve)));
    }

    /// The rungs that an encoder is asked for which makes the ladder itself: the ladder's own, or else the usual ones. Where nothing
    /// is transcoded either, what the encoder sends costs the server nothing.
    pub fn rungs(&self, ladder: &Ladder) -> Vec<Rung> {
        if let Ladder::Rungs(rungs) = ladder {
            return rungs.to_vec();
        }
        let resolved = self.ladders.get().and_then(|ladders| ladders.0(ladder));
        resolved.unwrap_or_else(obs::usual_rungs)
    }

    /// Says that something changed, once it stands in the database. Never waits.
    pub fn changed(&self, change: Change) {
        // Without a listener nobody has drawn conclusions.
        let _ = self.changes.send(change);
    }

    /// Listens to what changes from now on. Whoever lags behind looks at everything again.
    pub fn changes(&self) -> broadcast::Receiver<Change> {
        self.changes.subscribe()
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

    /// The settings in force, read again where the server was not set up when they were read last: the shell may have done it since.
    ///
    /// # Errors
    /// Those of the database.
    pub async fn fresh_settings(&self) -> Result<Guard<Arc<Settings>>> {
        if !self.settings().setup_done() {
            let settings = settings::load(&self.db).await?;
            if settings.setup_done() {
                self.set_settings(settings);
            }
        }
        Ok(self.settings())
    }

    /// Reads the settings again now and then: another process, or the shell, may have changed them. Never ends.
    pub async fn follow_settings(&self) {
        loop {
            tokio::time::sleep(SETTINGS_READ_EVERY).await;
            match settings::load(&self.db).await {
                Ok(settings) if settings != **self.settings() => self.set_settings(settings),
                // A database that is away is somebody else's story: the settings stay as they are.
                Ok(_) | Err(_) => {}
            }
        }
    }

    /// Takes settings that were saved.
    pub fn set_settings(&self, settings: Settings) {
        self.settings.store(Arc::new(settings));
        self.settings_changed.send_replace(());
    }

    /// Tells whenever settings are taken from now on.
    pub fn settings_changes(&self) -> watch::Receiver<()> {
        self.settings_changed.subscribe()
    }

    /// The server's own address for links: the configuration's, or the settings'.
    pub fn public_url(&self) -> Option<String> {
        let set = || self.settings().public_url.clone();
        self.options.public_url.clone().or_else(set)
    }
}
