//! Takes connections and speaks HTTP/1.1 and HTTP/2 on them.

pub mod host;
mod peer;
mod redirect;

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Router;
use axum::response::Response;
use axum::routing::future::RouteFuture;
use http::header::{self, HeaderValue};
use hyper::body::Incoming;
use hyper::rt::{Read, Write};
use hyper::server::conn::{http1, http2};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use proxy::Trusted;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tracing::{debug, warn};

use crate::tls::ACME_PROTOCOL;
use peer::Origin;
pub use peer::Peer;
pub use redirect::Redirect;

/// What one listener bears.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Connections at once.
    pub connections_max: usize,
    /// Time for a TLS handshake, and for the head of a request to arrive.
    pub head_time_max: Duration,
    /// A viewer that takes no byte for so long is cut off.
    pub stalled_time_max: Duration,
    /// Requests at once on one HTTP/2 connection.
    pub streams_max: u32,
    /// Bytes of a request's head.
    pub head_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections_max: 50_000,
            head_time_max: Duration::from_secs(20),
            stalled_time_max: Duration::from_secs(30),
            streams_max: 128,
            head_bytes_max: 16 << 10,
        }
    }
}

/// Counts over all connections of a listener.
#[derive(Debug, Default)]
pub struct Stats {
    /// Connections that are open.
    pub connections: AtomicUsize,
    /// Connections that were refused because there were too many.
    pub refused: AtomicUsize,
}

/// Answers what can be answered at once; `None` leaves the request to the router.
pub type AtOnce = Arc<dyn Fn(&http::Request<Incoming>) -> Option<Response> + Send + Sync>;

/// What answers requests.
#[derive(Clone)]
pub struct Service {
    /// Is asked first.
    pub at_once: AtOnce,
    /// Answers all else.
    pub router: Router,
    /// What answers of the router carry as `Strict-Transport-Security`, over TLS.
    pub transport_security: Option<HeaderValue>,
}

/// One listening socket.
pub struct Server {
    /// The socket.
    pub listener: TcpListener,
    /// Certificates, where it speaks TLS.
    pub tls: Option<TlsAcceptor>,
    /// Proxies whose word about viewers is believed.
    pub trusted: Trusted,
    /// What it bears.
    pub limits: Limits,
    /// What it counts.
    pub stats: Arc<Stats>,
}

impl Server {
    /// Serves until `shutdown` turns true; open requests are then finished, idle connections closed, and blocked requests
    /// are given `grace`.
    pub async fn run(self, service: Service, mut shutdown: watch::Receiver<bool>, grace: Duration) {
        let (done, mut all_done) = tokio::sync::mpsc::channel::<()>(1);
        loop {
            let accepted = tokio::select! {
                accepted = self.listener.accept() => accepted,
                () = stopped(&mut shutdown) => break,
            };
            let (stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(error) => {
                    // Out of file descriptors: those who are connected go on, and a slot may become free.
                    warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    continue;
                }
            };
            let Some(seat) = Seat::take(&self.stats, self.limits.connections_max) else {
                continue;
            };
            let connection = Connection {
                stream,
                origin: Origin::new(peer, &self.trusted),
                tls: self.tls.clone(),
                limits: self.limits,
                service: service.clone(),
            };
            let (shutdown, done) = (shutdown.clone(), done.clone());
            tokio::spawn(async move {
                let _held = (seat, done);
                connection.run(shutdown).await;
            });
        }
        drop(done);
        let _ = tokio::time::timeout(grace, all_done.recv()).await;
    }
}

/// A place among the connections; given back when dropped.
struct Seat(Arc<Stats>);

impl Seat {
    fn take(stats: &Arc<Stats>, connections_max: usize) -> Option<Self> {
        if stats.connections.fetch_add(1, Ordering::Relaxed) >= connections_max {
            stats.connections.fetch_sub(1, Ordering::Relaxed);
            stats.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        Some(Self(Arc::clone(stats)))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.connections.fetch_sub(1, Ordering::Relaxed);
    }
}

struct Connection {
    stream: TcpStream,
    origin: Origin,
    tls: Option<TlsAcceptor>,
    limits: Limits,
    service: Service,
}

impl Connection {
    async fn run(self, shutdown: watch::Receiver<bool>) {
        let Self {
            mut stream,
            mut origin,
            tls,
            limits,
            service,
        } = self;
        let peer = origin.address;
        if let Err(error) = prepare(&stream, limits.stalled_time_max) {
            debug!(%peer, %error, "connection was gone at once");
            return;
        }
        if origin.believed.is_some() {
            // Few connections come from proxies: the others' tasks must not have room for what those say.
            origin = match Box::pin(origin.introduced(&mut stream, limits.head_time_max)).await {
                Ok(origin) => origin,
                Err(error) => return debug!(%peer, %error, "a trusted proxy did not say whom it serves"),
            };
        }
        let Some(tls) = tls else {
            let Some(protocol) = protocol_of_start(&stream, limits.head_time_max).await else {
                return;
            };
            let service = WithPeer { service, origin };
            return speak(TokioIo::new(stream), service, limits, protocol, shutdown).await;
        };
        origin.tls = true;
        let service = WithPeer { service, origin };
        // The handshake's future is large and soon over: it must not make every connection's task large.
        match Box::pin(tokio::time::timeout(limits.head_time_max, tls.accept(stream))).await {
            Ok(Ok(stream)) => {
                let protocol = match stream.get_ref().1.alpn_protocol() {
                    Some(b"h2") => Protocol::Http2,
                    // The authority has seen the certificate that it asked for; nothing is spoken after that (RFC 8737 §3).
                    Some(ACME_PROTOCOL) => return,
                    _ => Protocol::Http1,
                };
                Box::pin(speak(TokioIo::new(stream), service, limits, protocol, shutdown)).await;
            }
            Ok(Err(error)) => debug!(%peer, %error, "tls handshake failed"),
            Err(_) => debug!(%peer, "tls handshake took too long"),
        }
    }
}

/// Answers leave at once instead of waiting for the peer's delayed acknowledgement, and a peer that takes nothing is cut off
/// by the kernel.
fn prepare(stream: &TcpStream, stalled_time_max: Duration) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    socket2::SockRef::from(stream).set_tcp_user_timeout(Some(stalled_time_max))
}

#[derive(Clone, Copy, Debug)]
enum Protocol {
    Http1,
    Http2,
}

/// What a plain connection begins to speak; `None` if it says nothing in time. It is looked at without being read: a buffer
/// that holds it back would make each connection's own buffer twice as large.
async fn protocol_of_start(stream: &TcpStream, time_max: Duration) -> Option<Protocol> {
    const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
    let mut start = [0; HTTP2.len()];
    let length = tokio::time::timeout(time_max, stream.peek(&mut start))
        .await
        .ok()?
        .ok()?;
    let begins_alike = length >= 4 && HTTP2.starts_with(&start[..length]);
    Some(if begins_alike { Protocol::Http2 } else { Protocol::Http1 })
}

async fn speak<T>(io: T, service: WithPeer, limits: Limits, protocol: Protocol, shutdown: watch::Receiver<bool>)
where
    T: Read + Write + Unpin + Send + 'static,
{
    let peer = service.origin.address;
    let ended = match protocol {
        Protocol::Http1 => drive(http1(limits).serve_connection(io, service), shutdown).await,
        Protocol::Http2 => Box::pin(drive(http2(limits).serve_connection(io, service), shutdown)).await,
    };
    if let Err(error) = ended {
        debug!(%peer, %error, "connection ended");
    }
}

/// A connection of either protocol.
trait Connected: Future<Output = hyper::Result<()>> {
    /// Finishes what is under way and takes nothing more.
    fn drain(self: Pin<&mut Self>);
}

impl<T: Read + Write + Unpin> Connected for http1::Connection<T, WithPeer> {
    fn drain(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

impl<T: Read + Write + Unpin> Connected for http2::Connection<T, WithPeer, TokioExecutor> {
    fn drain(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}

async fn drive(connection: impl Connected, mut shutdown: watch::Receiver<bool>) -> hyper::Result<()> {
    tokio::pin!(connection);
    tokio::select! {
        ended = connection.as_mut() => return ended,
        () = stopped(&mut shutdown) => {}
    }
    connection.as_mut().drain();
    connection.await
}

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone will never say more: that is the end too.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

fn http1(limits: Limits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.head_time_max)
        .max_buf_size(limits.head_bytes_max.max(WRITE_BYTES))
        // To see whether a viewer that waits is still there, a second buffer would be made for each.
        .half_close(true)
        .writev(true);
    builder
}

fn http2(limits: Limits) -> http2::Builder<TokioExecutor> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder
        .timer(TokioTimer::new())
        .max_concurrent_streams(limits.streams_max)
        .max_header_list_size(u32::try_from(limits.head_bytes_max).unwrap_or(u32::MAX))
        .max_frame_size(64 << 10)
        .max_send_buf_size(WRITE_BYTES)
        .keep_alive_interval(Duration::from_secs(20))
        .keep_alive_timeout(limits.stalled_time_max);
    builder
}

/// Bytes that are handed to the socket in one go.
const WRITE_BYTES: usize = 256 << 10;

/// Tells who asks.
struct WithPeer {
    service: Service,
    origin: Origin,
}

impl hyper::service::Service<http::Request<Incoming>> for WithPeer {
    type Response = Response;
    type Error = Infallible;
    type Future = Answer;

    fn call(&self, mut request: http::Request<Incoming>) -> Self::Future {
        let peer = self.origin.peer(request.headers());
        let transport_security = self.service.transport_security.as_ref().filter(|_| peer.tls);
        request.extensions_mut().insert(peer);
        if let Some(response) = (self.service.at_once)(&request) {
            return Answer::AtOnce(Some(response));
        }
        let routed = tower_service::Service::call(&mut self.service.router.clone(), request);
        match transport_security.cloned() {
            None => Answer::Routed(routed),
            Some(value) => Answer::Secured(Box::new((routed, value))),
        }
    }
}

/// An answer that is there, or one that the router makes.
enum Answer {
    AtOnce(Option<Response>),
    Routed(RouteFuture<Infallible>),
    /// The router's, to which the promise of HTTPS is added.
    Secured(Box<(RouteFuture<Infallible>, HeaderValue)>),
}

impl Future for Answer {
    type Output = Result<Response, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::AtOnce(response) => Poll::Ready(Ok(response.take().expect("a future is polled until it is ready"))),
            Self::Routed(routed) => Pin::new(routed).poll(cx),
            Self::Secured(secured) => Pin::new(&mut secured.0).poll(cx).map_ok(|mut response| {
                let headers = response.headers_mut();
                headers.insert(header::STRICT_TRANSPORT_SECURITY, secured.1.clone());
                response
            }),
        }
    }
}
