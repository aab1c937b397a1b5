//! Runs the platform: opens the listeners, joins the parts, and stops them in order.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

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
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{info, warn};

use crate::config::Config;
use crate::demo::{self, Demo};
use crate::metrics::Metrics;
use crate::operations::{self, Ready};
use crate::{accounts, addresses, admin, advice, keys_file, secure, transcoding};

/// How long requests that are under way may take after the signal to stop.
const DRAIN: Duration = Duration::from_secs(5);

/// Runs until it is told to stop.
///
/// # Errors
/// If it cannot start: the text says what to change.
pub async fn run(mut config: Config, with_demo: bool) -> Result<()> {
    raise_open_files();
    let trusted: Trusted = config.http_trusted_proxies.iter().copied().collect();
    let certificates = secure::certificates(&config)?;
    let listeners = Listeners::open(&config, &certificates).await?;
    listeners.tell(&mut config)?;
    let platform = accounts::open(&config).await?;
    secure::show(&certificates, &config, &platform)?;
    let local = Arc::new(Local::new(config.publish_open, config.live.clone()));
    if let Some(path) = &config.publish_keys_file {
        keys_file::load(path, &local)?;
        tokio::spawn(keys_file::watch(path.clone(), Arc::clone(&local)));
    }
    let authority = Accounts::new(platform.clone(), Arc::clone(&local));
    let hub = Hub::new(Arc::new(authority.clone()), hub::Limits::default());
    platform.attach(hub.clone());
    let live = Live::start(
        hub.clone(),
        Arc::new(Directory::new(platform.clone())),
        &config.data_dir,
    )
    .context("cannot use the data folder: set data.dir")?;
    live_state::resume(&platform).await?;
    let counted = live.clone();
    platform.count_viewers_by(move |name| counted.viewers_of(name));
    if let Some(address) = addresses::shown_rtmp(&config) {
        live.set_rtmp(address);
    }
    tokio::spawn(hub.clone().run());
    tokio::spawn(advice::tell(hub.clone()));
    transcoding::start(&hub, &config);

    let rtmp = RtmpServer::new(hub.clone(), gateway::rtmp::Options::default(), trusted.clone());
    let http = Arc::new(server::Stats::default());
    let ready = Ready::default();
    let metrics = Arc::new(Metrics::new(hub.clone(), live.clone(), rtmp.stats(), Arc::clone(&http)));
    let (answering, redirect, shown) = (live.clone(), secure::redirect(&config), Arc::clone(&certificates));
    let service = server::Service {
        at_once: Arc::new(move |request| {
            // Nobody is led to where browsers warn.
            let redirected = || redirect.as_ref().filter(|_| !shown.is_self_signed())?.answer(request);
            answering.at_once(request).or_else(redirected)
        }),
        router: router(&live, &ready, metrics, config.http_public_url.clone())
            .merge(accounts::router(platform.clone()))
            .merge(tls::acme_router(&certificates)),
        transport_security: config.https_hsts.map(secure::transport_security),
    };

    let (stop, stopping) = watch::channel(false);
    let mut running = JoinSet::new();
    listeners.run(&mut running, &rtmp, &service, &http, &trusted, &stopping);
    let (shown, shown_by) = (Arc::clone(&certificates), config.clone());
    platform.ask_of_https(move || secure::status(&shown, &shown_by));
    tokio::spawn(secure::follow(
        Arc::clone(&certificates),
        config.clone(),
        platform.clone(),
    ));
    tokio::spawn(certificates.run());
    if with_demo {
        tokio::spawn(Demo::new(hub, &local)?.run());
    }
    running.spawn(platform::retention::run(platform.clone(), stopping.clone()));
    running.spawn(live_state::run(platform.clone(), stopping.clone()));
    tokio::spawn(accounts::watch_ring(platform.clone()));
    let following = platform.clone();
    tokio::spawn(async move { following.follow_settings().await });
    ready.set(true);
    announce(&config, &platform, with_demo).await;

    stop_signal().await?;
    info!("stopping: open requests are finished first");
    ready.set(false);
    platform.live.stop();
    stop.send_replace(true);
    while running.join_next().await.is_some() {}
    authority.finish(DRAIN).await;
    // Mails that are on their way are sent, as far as the mail server is there.
    let _ = tokio::time::timeout(DRAIN, platform.doors.outbox.idle()).await;
    platform.db.close().await;
    info!("stopped");
    Ok(())
}

fn router(live: &Live, ready: &Ready, metrics: Arc<Metrics>, public_url: Option<String>) -> Router {
    let looked_up = live.clone();
    let lookup: web::Lookup = Arc::new(move |name, host| looked_up.playback(name, host));
    live.router()
        .merge(operations::router(ready.clone(), metrics))
        .merge(web::router(lookup, public_url))
}

/// The sockets, all open before anything runs.
struct Listeners {
    http: Option<TcpListener>,
    https: Option<(TcpListener, TlsAcceptor)>,
    rtmp: Option<TcpListener>,
    rtmps: Option<(TcpListener, TlsAcceptor)>,
}

impl Listeners {
    async fn open(config: &Config, certificates: &Arc<tls::Store>) -> Result<Self> {
        let secure = async |key, address, alpn: &[&str]| -> Result<Option<(TcpListener, TlsAcceptor)>> {
            let Some(listener) = open(key, address).await? else {
                return Ok(None);
            };
            Ok(Some((listener, certificates.server_config(alpn)?.into())))
        };
        Ok(Self {
            http: open("http.listen", config.http_listen).await?,
            https: secure("https.listen", config.https_listen, &["h2", "http/1.1"]).await?,
            rtmp: open("rtmp.listen", config.rtmp_listen).await?,
            rtmps: secure("rtmps.listen", config.rtmps_listen, &[]).await?,
        })
    }

    /// Writes down where they listen: port 0 asked for any free one.
    fn tell(&self, config: &mut Config) -> Result<()> {
        let address = |listener: Option<&TcpListener>| listener.map(TcpListener::local_addr).transpose();
        config.http_listen = address(self.http.as_ref())?;
        config.https_listen = address(self.https.as_ref().map(|(listener, _)| listener))?;
        config.rtmp_listen = address(self.rtmp.as_ref())?;
        config.rtmps_listen = address(self.rtmps.as_ref().map(|(listener, _)| listener))?;
        Ok(())
    }

    fn run(
        self,
        running: &mut JoinSet<()>,
        rtmp: &RtmpServer,
        service: &server::Service,
        stats: &Arc<server::Stats>,
        trusted: &Trusted,
        stopping: &watch::Receiver<bool>,
    ) {
        let http = self.http.map(|listener| (listener, None));
        let https = self.https.map(|(listener, tls)| (listener, Some(tls)));
        for (listener, tls) in http.into_iter().chain(https) {
            let server = server::Server {
                listener,
                tls,
                trusted: trusted.clone(),
                limits: server::Limits::default(),
                stats: Arc::clone(stats),
            };
            running.spawn(server.run(service.clone(), stopping.clone(), DRAIN));
        }
        let plain = self.rtmp.map(|listener| (listener, None));
        let secure = self.rtmps.map(|(listener, tls)| (listener, Some(tls)));
        for (listener, tls) in plain.into_iter().chain(secure) {
            let mut stopping = stopping.clone();
            let stopped = async move { drop(stopping.wait_for(|stop| *stop).await) };
            running.spawn(rtmp.clone().serve(listener, tls, stopped));
        }
    }
}

async fn open(key: &str, address: Option<SocketAddr>) -> Result<Option<TcpListener>> {
    let Some(address) = address else { return Ok(None) };
    // Many viewers may come in the same moment.
    let socket = match address {
        SocketAddr::V4(_) => tokio::net::TcpSocket::new_v4(),
        SocketAddr::V6(_) => tokio::net::TcpSocket::new_v6(),
    }?;
    socket.set_reuseaddr(true)?;
    let opened = socket.bind(address).and_then(|()| socket.listen(4_096));
    let fault = || format!("cannot listen on {address}: is the server running already? else set {key}");
    opened.map(Some).with_context(fault)
}

/// Each viewer is an open file.
fn raise_open_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: limit.maximum,
        maximum: limit.maximum,
    };
    if let Err(error) = setrlimit(Resource::Nofile, raised) {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Says where everything is, on standard output: for the person who started it.
async fn announce(config: &Config, platform: &Platform, with_demo: bool) {
    let setup = admin::users::setup_address(config, platform)
        .await
        .unwrap_or_else(|error| {
            warn!(%error, "the setup link cannot be made: headwater setup-link prints it later");
            None
        });
    // Nobody may be reading.
    let _ = std::io::stdout().write_all(announcement(config, setup, with_demo).as_bytes());
}

fn announcement(config: &Config, setup: Option<String>, with_demo: bool) -> String {
    let mut lines = vec!["\nHeadwater is ready".to_owned()];
    let mut line = |what: &str, address: String| lines.push(format!("  {what:<7} {address}"));
    if let Some(page) = addresses::page(config) {
        line("page", format!("{page}/"));
        if with_demo {
            line("watch", format!("{page}/watch/{}", demo::NAME));
            line("hls", format!("{page}/live/{}.m3u8", demo::NAME));
            line("dash", format!("{page}/live/{}.mpd", demo::NAME));
        }
    }
    if let (Some(page), None) = (addresses::network_page(config), &config.http_public_url) {
        line("network", format!("{page}/"));
    }
    if let Some(secure) = addresses::secure_page(config) {
        line("secure", format!("{secure}/"));
    }
    if let Some(setup) = setup {
        line("set up", format!("{setup}  (once: whoever opens it owns the server)"));
    }
    if let Some(rtmp) = addresses::rtmp(config) {
        if with_demo {
            line("rtmp", format!("{rtmp}/live/{}", demo::NAME));
        }
        line("publish", format!("{rtmp}/live  (stream key: {})", key_hint(config)));
    }
    lines.join("\n") + "\n\n"
}

fn key_hint(config: &Config) -> &'static str {
    match (config.publish_open, &config.publish_keys_file) {
        (true, _) => "any name, from this machine; or a channel's, from anywhere",
        (false, Some(_)) => "one of publish.keys_file, or a channel's",
        (false, None) => "a channel's, from its studio",
    }
}

/// Waits for the signal to stop; a second one ends the process at once.
async fn stop_signal() -> Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut told = async move || {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    told().await;
    tokio::spawn(async move {
        told().await;
        std::process::exit(0);
    });
    Ok(())
}
