//! The parts of the server, joined to each other.

use std::sync::Arc;

use anyhow::{Context, Result};
use axum::Router;
use delivery::live::Live;
use delivery::{server, tls, web};
use gateway::rtmp::RtmpServer;
use hub::Hub;
use hub::authority::Local;
use platform::Platform;
use platform::authority::Accounts;
use platform::directory::Directory;
use platform::live_state;
use proxy::Trusted;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::DRAIN;
use super::listeners::Listeners;
use crate::config::Config;
use crate::metrics::{Metrics, Sources};
use crate::operations::{self, Ready};
use transcode::Transcoder;

use crate::{accounts, addresses, advice, keys_file, secure, transcoding};

/// Everything that the server consists of.
pub(super) struct Parts {
    pub(super) config: Config,
    pub(super) platform: Platform,
    pub(super) hub: Hub,
    /// Who may publish without an account.
    pub(super) local: Arc<Local>,
    pub(super) ready: Ready,
    certificates: Arc<tls::Store>,
    authority: Accounts,
    live: Live,
    /// Who makes further qualities, where that is done.
    transcoder: Option<Transcoder>,
    rtmp: RtmpServer,
    http: Arc<server::Stats>,
}

impl Parts {
    /// Opens the platform and joins all else to it. Broadcasts of before wait for their sources again.
    pub(super) async fn open(config: Config, certificates: Arc<tls::Store>) -> Result<Self> {
        let platform = accounts::open(&config).await?;
        secure::show(&certificates, &config, &platform)?;
        let local = local_list(&config)?;
        let authority = Accounts::new(platform.clone(), Arc::clone(&local));
        let hub = Hub::new(Arc::new(authority.clone()), hub::Limits::default());
        platform.attach(hub.clone());
        let names = Arc::new(Directory::new(platform.clone()));
        let live =
            Live::start(hub.clone(), names, &config.data_dir).context("cannot use the data folder: set data.dir")?;
        live_state::resume(&platform).await?;
        let counted = live.clone();
        platform.count_viewers_by(move |name| counted.viewers_of(name));
        let presets = config.transcode.presets.clone();
        platform.resolve_ladders_by(move |ladder| transcoding::rungs(&presets, ladder));
        if let Some(address) = addresses::shown_rtmp(&config) {
            live.set_rtmp(address);
        }
        tokio::spawn(hub.clone().run());
        tokio::spawn(advice::tell(hub.clone()));
        let transcoder = transcoding::start(&hub, &config, &platform);
        Ok(Self {
            rtmp: RtmpServer::new(hub.clone(), gateway::rtmp::Options::default(), trusted(&config)),
            http: Arc::default(),
            ready: Ready::default(),
            config,
            platform,
            hub,
            local,
            certificates,
            authority,
            live,
            transcoder,
        })
    }

    /// Takes connections until `stopping` turns true.
    pub(super) fn listen(&self, listeners: Listeners, running: &mut JoinSet<()>, stopping: &watch::Receiver<bool>) {
        let (service, trusted) = (self.service(), trusted(&self.config));
        listeners.run(running, &self.rtmp, &service, &self.http, &trusted, stopping);
    }

    fn service(&self) -> server::Service {
        let (answering, redirect, shown) = (
            self.live.clone(),
            secure::redirect(&self.config),
            Arc::clone(&self.certificates),
        );
        server::Service {
            at_once: Arc::new(move |request| {
                // Nobody is led to where browsers warn.
                let redirected = || redirect.as_ref().filter(|_| !shown.is_self_signed())?.answer(request);
                answering.at_once(request).or_else(redirected)
            }),
            router: self.router(),
            transport_security: self.config.https_hsts.map(secure::transport_security),
        }
    }

    fn router(&self) -> Router {
        let looked_up = self.live.clone();
        let lookup: web::Lookup = Arc::new(move |name, host| looked_up.playback(name, host));
        self.live
            .router()
            .merge(operations::router(self.ready.clone(), self.metrics()))
            .merge(web::router(lookup, self.config.http_public_url.clone()))
            .merge(accounts::router(self.platform.clone()))
            .merge(tls::acme_router(&self.certificates))
    }

    fn metrics(&self) -> Arc<Metrics> {
        Arc::new(Metrics::new(Sources {
            hub: self.hub.clone(),
            live: self.live.clone(),
            rtmp: self.rtmp.stats(),
            http: Arc::clone(&self.http),
            platform: self.platform.clone(),
            certificates: Arc::clone(&self.certificates),
            transcoder: self.transcoder.clone(),
        }))
    }

    /// Does what is to be done beside the connections; what must come to an end joins `running`.
    pub(super) fn attend(&self, running: &mut JoinSet<()>, stopping: &watch::Receiver<bool>) {
        let (shown, shown_by) = (Arc::clone(&self.certificates), self.config.clone());
        self.platform.ask_of_https(move || secure::status(&shown, &shown_by));
        tokio::spawn(secure::follow(
            Arc::clone(&self.certificates),
            self.config.clone(),
            self.platform.clone(),
        ));
        tokio::spawn(Arc::clone(&self.certificates).run());
        running.spawn(platform::retention::run(self.platform.clone(), stopping.clone()));
        running.spawn(live_state::run(self.platform.clone(), stopping.clone()));
        tokio::spawn(accounts::watch_ring(self.platform.clone()));
        let following = self.platform.clone();
        tokio::spawn(async move { following.follow_settings().await });
    }

    /// Writes down what is left to be written, when nobody asks any more.
    pub(super) async fn finish(self) {
        self.authority.finish(DRAIN).await;
        // Mails that are on their way are sent, as far as the mail server is there.
        let _ = tokio::time::timeout(DRAIN, self.platform.doors.outbox.idle()).await;
        self.platform.db.close().await;
    }
}

/// Proxies whose word about viewers is believed.
fn trusted(config: &Config) -> Trusted {
    config.http_trusted_proxies.iter().copied().collect()
}

/// Who may publish without an account; a file of keys is followed.
fn local_list(config: &Config) -> Result<Arc<Local>> {
    let local = Arc::new(Local::new(config.publish_open, config.live.clone()));
    if let Some(path) = &config.publish_keys_file {
        keys_file::load(path, &local)?;
        tokio::spawn(keys_file::watch(path.clone(), Arc::clone(&local)));
    }
    Ok(local)
}
