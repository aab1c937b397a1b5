use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use hub::{Hub, Protocol};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use super::admission::{Admission, HalfOpen};
use super::connection::{Connection, Peer};
use super::feed::Feeds;
use super::socket::Plain;
use super::{Options, Stats};

/// When the process has no file left for a connection, some may be closed soon.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// The RTMP server of one hub. Cloning gives another handle to the same, for a listener more.
#[derive(Clone, Debug)]
pub struct RtmpServer(Arc<Shared>);

/// What all connections share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) hub: Hub,
    pub(super) options: Options,
    pub(super) stats: Arc<Stats>,
    pub(super) feeds: Feeds,
    pub(super) admission: Admission,
}

impl RtmpServer {
    /// A server for the broadcasts of `hub`.
    pub fn new(hub: Hub, options: Options) -> Self {
        Self(Arc::new(Shared {
            hub,
            options,
            stats: Arc::default(),
            feeds: Feeds::default(),
            admission: Admission::default(),
        }))
    }

    /// What the server counts.
    pub fn stats(&self) -> Arc<Stats> {
        Arc::clone(&self.0.stats)
    }

    /// Serves the connections of one listener, RTMPS with a `tls` acceptor, until `shutdown` completes.
    ///
    /// Then all its connections are closed: publishers count as lost, so that their broadcasts wait for them.
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
        let peer = |protocol| Peer {
            address,
            protocol,
            number,
        };
        match tls {
            None => {
                let connection = Connection::new(
                    Plain::Watched(stream),
                    peer(Protocol::Rtmp),
                    Arc::clone(shared),
                    half_open,
                );
                tasks.spawn(connection.run());
            }
            Some(acceptor) => {
                let handshake = acceptor.accept(stream);
                let (shared, peer) = (Arc::clone(shared), peer(Protocol::Rtmps));
                tasks.spawn(async move {
                    let limit = shared.options.limits.handshake;
                    // The TLS handshake is large; boxed, it is gone when it is done.
                    match tokio::time::timeout(limit, Box::pin(handshake)).await {
                        Ok(Ok(stream)) => Connection::new(stream, peer, shared, half_open).run().await,
                        Ok(Err(error)) => debug!(%address, %error, "no TLS handshake"),
                        Err(_) => debug!(%address, "no TLS handshake in time"),
                    }
                });
            }
        }
    }
}

async fn pause(error: &io::Error) {
    warn!(%error, "cannot accept a connection: if there are too many open files, raise their limit");
    tokio::time::sleep(ACCEPT_PAUSE).await;
}
