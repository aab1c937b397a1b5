use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hub::{Hub, Protocol};
use proxy::Trusted;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::admission::{Admission, HalfOpen};
use super::connection::{Connection, Peer};
use super::feed::Feeds;
use super::introduction;
use super::socket::Plain;
use super::{Options, Stats};

/// When the process has no file left for a connection, some may be closed soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// How long publishers that were asked to connect anew may take to leave: a key frame, as a rule.
const LEAVING: Duration = Duration::from_secs(2);

/// The RTMP server of one hub. Cloning gives another handle to the same, for a listener more.
#[derive(Clone, Debug)]
pub struct RtmpServer(Arc<Shared>);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) hub: Hub,
    pub(super) options: Options,
    trusted: Trusted,
    pub(super) stats: Arc<Stats>,
    pub(super) feeds: Feeds,
    pub(super) admission: Admission,
    pub(super) departure: Departure,
}

/// The server's end, as publishers that can connect anew by themselves hear of it.
#[derive(Debug, Default)]
pub(super) struct Departure {
    /// Whether the server is about to stop.
    pub(super) near: watch::Sender<bool>,
    /// Publishers that will leave when they are asked to.
    pub(super) movable: watch::Sender<usize>,
}

impl RtmpServer {
    /// A server for the broadcasts of `hub`, which believes what the proxies in `trusted` say of whom they serve.
    pub fn new(hub: Hub, options: Options, trusted: Trusted) -> Self {
        Self(Arc::new(Shared {
            hub,
            options,
            trusted,
            stats: Arc::default(),
            feeds: Feeds::default(),
            admission: Admission::default(),
            departure: Departure::default(),
        }))
    }

    /// What the server counts.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.0.stats)
    }

    /// Serves the connections of one listener, RTMPS with a `tls` acceptor, until `shutdown` completes.
    ///
    /// Then publishers that can connect anew by themselves are asked to, and have two seconds. After that all its connections are
    /// closed: publishers count as lost, so that their broadcasts wait for them.
    pub async fn serve(self, listener: TcpListener, tls: Option<TlsAcceptor>, shutdown: impl Future<Output = ()>) {
        let mut connections = JoinSet::new();
        tokio::pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, address)) => self.admit(stream, address, tls.as_ref(), &mut connections),
                    Err(error) => pause(&error).await,
                },
            }
        }
        drop(listener);
        self.0.departure.near.send_replace(true);
        let mut movable = self.0.departure.movable.subscribe();
        let gone = movable.wait_for(|movable| *movable == 0);
        // Whoever takes longer is cut off.
        let _ = tokio::time::timeout(LEAVING, gone).await;
        connections.shutdown().await;
    }

    fn admit(&self, stream: TcpStream, address: SocketAddr, tls: Option<&TlsAcceptor>, tasks: &mut JoinSet<()>) {
        let shared = &self.0;
        let number = shared.stats.accepted.fetch_add(1, Ordering::Relaxed) + 1;
        let half_open = HalfOpen::enter(shared, address.ip());
        let (Some(half_open), true) = (half_open, tasks.len() < shared.options.connections_max) else {
            shared.stats.turned_away.fetch_add(1, Ordering::Relaxed);
            debug!(%address, "too many connections: turned away");
            return;
        };
        // A frame must not wait for the acknowledgement of the last one.
        if let Err(error) = stream.set_nodelay(true) {
            debug!(%address, %error, "connection is gone already");
            return;
        }
        let newcomer = Newcomer {
            shared: Arc::clone(shared),
            stream,
            address,
            number,
            half_open,
        };
        let tls = tls.cloned();
        if shared.trusted.trusts(address.ip()) {
            tasks.spawn(async move {
                // What a proxy says takes room, and only for a moment.
                if let Some(introduced) = Box::pin(newcomer.introduced()).await {
                    Box::pin(introduced.serve(tls)).await;
                }
            });
            return;
        }
        match tls {
            None => drop(tasks.spawn(newcomer.plain().run())),
            Some(tls) => drop(tasks.spawn(newcomer.secure(tls))),
        }
    }
}

/// A connection that was accepted and has said nothing yet.
struct Newcomer {
    shared: Arc<Shared>,
    stream: TcpStream,
    address: SocketAddr,
    number: u64,
    half_open: HalfOpen,
}

impl Newcomer {
    /// The same with the address that a trusted proxy says it comes from; `None` if it is to be closed.
    async fn introduced(mut self) -> Option<Self> {
        let (address, limit) = (self.address, self.shared.options.limits.handshake);
        match tokio::time::timeout(limit, introduction::source(&mut self.stream)).await {
            Ok(Ok(None)) => return Some(self),
            Ok(Ok(Some(source))) => self.address = source,
            Ok(Err(error)) => {
                debug!(%address, %error, "a trusted proxy did not say whom it serves");
                return None;
            }
            Err(_) => {
                debug!(%address, "a trusted proxy did not say in time whom it serves");
                return None;
            }
        }
        self.half_open = HalfOpen::enter(&self.shared, self.address.ip()).or_else(|| {
            self.shared.stats.turned_away.fetch_add(1, Ordering::Relaxed);
            None
        })?;
        Some(self)
    }

    async fn serve(self, tls: Option<TlsAcceptor>) {
        match tls {
            None => self.plain().run().await,
            Some(tls) => self.secure(tls).await,
        }
    }

    fn plain(self) -> Connection<Plain> {
        let peer = Peer {
            address: self.address,
            protocol: Protocol::Rtmp,
            number: self.number,
        };
        Connection::new(Plain::Watched(self.stream), peer, self.shared, self.half_open)
    }

    async fn secure(self, tls: TlsAcceptor) {
        let (address, limit) = (self.address, self.shared.options.limits.handshake);
        let peer = Peer {
            address,
            protocol: Protocol::Rtmps,
            number: self.number,
        };
        // The TLS handshake is large; boxed, it is gone when it is done.
        match tokio::time::timeout(limit, Box::pin(tls.accept(self.stream))).await {
            Ok(Ok(stream)) => Connection::new(stream, peer, self.shared, self.half_open).run().await,
            Ok(Err(error)) => debug!(%address, %error, "no TLS handshake"),
            Err(_) => debug!(%address, "no TLS handshake in time"),
        }
    }
}

async fn pause(error: &io::Error) {
    warn!(%error, "cannot accept a connection: if there are too many open files, raise their limit");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
