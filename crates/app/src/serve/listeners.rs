//! The sockets of the server.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::{Context, Result};
use delivery::{server, tls};
use gateway::rtmp::RtmpServer;
use proxy::Trusted;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::DRAIN;
use crate::config::Config;

/// The sockets, all open before anything runs.
pub(super) struct Listeners {
    http: Option<TcpListener>,
    https: Option<(TcpListener, TlsAcceptor)>,
    rtmp: Option<TcpListener>,
    rtmps: Option<(TcpListener, TlsAcceptor)>,
}

impl Listeners {
    pub(super) async fn open(config: &Config, certificates: &Arc<tls::Store>) -> Result<Self> {
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
    pub(super) fn tell(&self, config: &mut Config) -> Result<()> {
        let address = |listener: Option<&TcpListener>| listener.map(TcpListener::local_addr).transpose();
        config.http_listen = address(self.http.as_ref())?;
        config.https_listen = address(self.https.as_ref().map(|(listener, _)| listener))?;
        config.rtmp_listen = address(self.rtmp.as_ref())?;
        config.rtmps_listen = address(self.rtmps.as_ref().map(|(listener, _)| listener))?;
        Ok(())
    }

    /// Serves on all of them until `stopping` turns true.
    pub(super) fn run(
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
