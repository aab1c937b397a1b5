//! A server on a port of its own, and clients made of our own client session.

#![allow(dead_code, clippy::allow_attributes, reason = "each test file uses its part")]

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;
use gateway::rtmp::{Options, RtmpServer, Stats};
use hub::authority::Local;
use hub::{Broadcast, Ending, Hub, Limits, Name, Settings};
use media::Kind;
use proxy::Trusted;
use rtmp::client::{self, Event, Intent, Session};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{broadcast, oneshot};
use tokio::task::JoinHandle;
use tokio_rustls::{TlsAcceptor, TlsConnector};

const PATIENCE: Duration = Duration::from_secs(20);

pub struct Server {
    pub hub: Hub,
    pub address: SocketAddr,
    server: RtmpServer,
    stop: Option<oneshot::Sender<()>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Server {
    pub async fn start() -> Self {
        Self::with(Options::default(), Settings::default()).await
    }

    pub async fn with(options: Options, settings: Settings) -> Self {
        Self::serve(options, settings, None, Trusted::default()).await
    }

    /// A server that believes proxies of this machine.
    pub async fn behind_a_proxy() -> Self {
        let trusted = ["127.0.0.1/32".parse().unwrap()].into_iter().collect();
        Self::serve(Options::default(), Settings::default(), None, trusted).await
    }

    /// A server that speaks TLS, and the certificate to trust.
    pub async fn start_tls() -> (Self, CertificateDer<'static>) {
        let own = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let certificate = own.cert.der().clone();
        let key = PrivateKeyDer::Pkcs8(own.signing_key.serialize_der().into());
        let config = rustls::ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.clone()], key)
            .unwrap();
        let acceptor = TlsAcceptor::from(Arc::new(config));
        (
            Self::serve(
                Options::default(),
                Settings::default(),
                Some(acceptor),
                Trusted::default(),
            )
            .await,
            certificate,
        )
    }

    async fn serve(options: Options, settings: Settings, tls: Option<TlsAcceptor>, trusted: Trusted) -> Self {
        let hub = Hub::new(Arc::new(Local::new(true, settings)), Limits::default());
        let server = RtmpServer::new(hub.clone(), options, trusted);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serving = server.clone().serve(listener, tls, async {
            let _ = stopped.await;
        });
        let tasks = vec![tokio::spawn(hub.clone().run()), tokio::spawn(serving)];
        Self {
            hub,
            address,
            server,
            stop: Some(stop),
            tasks,
        }
    }

    pub fn stats(&self) -> Arc<Stats> {
        self.server.stats()
    }

    pub fn broadcast(&self, name: &str) -> Arc<Broadcast> {
        self.hub.broadcast(&Name::parse(name).unwrap()).expect("it runs")
    }

    /// Waits until the counters say so.
    pub async fn settled(&self, done: impl Fn(&Stats) -> bool) {
        let stats = self.stats();
        let waiting = async {
            while !done(&stats) {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(PATIENCE, waiting).await.is_err() {
            panic!("the counters stay at {stats:?}");
        }
    }

    /// Waits until the server has read so much.
    pub async fn has_read(&self, bytes: u64) {
        self.settled(|stats| stats.bytes_in.load(Ordering::Relaxed) >= bytes)
            .await;
    }

    pub async fn stop(&mut self) {
        drop(self.stop.take());
        let serving = self.tasks.pop().unwrap();
        tokio::time::timeout(PATIENCE, serving)
            .await
            .expect("it stops")
            .unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

pub struct Client<S = TcpStream> {
    pub session: Session,
    io: S,
    events: VecDeque<Event>,
}

impl Client {
    pub async fn connect(server: &Server, intent: Intent, name: &str) -> Self {
        let io = TcpStream::connect(server.address).await.unwrap();
        io.set_nodelay(true).unwrap();
        Self::over(io, intent, name).await
    }

    pub async fn publish(server: &Server, name: &str) -> Self {
        let mut client = Self::connect(server, Intent::Publish, name).await;
        client.until(|event| *event == Event::Ready).await;
        client
    }

    pub async fn play(server: &Server, name: &str) -> Self {
        let mut client = Self::connect(server, Intent::Play, name).await;
        client.until(|event| *event == Event::Ready).await;
        client
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    pub async fn over(io: S, intent: Intent, name: &str) -> Self {
        let options = client::Options::new(intent, "localhost", "live", name);
        let mut client = Self {
            session: Session::new(options, 1, Instant::now()),
            io,
            events: VecDeque::new(),
        };
        client.flush().await;
        client
    }

    pub async fn flush(&mut self) {
        while let Some(bytes) = self.session.poll_transmit() {
            self.io.write_all(&bytes).await.unwrap();
        }
        self.io.flush().await.unwrap();
    }

    /// The next event; waits for it.
    pub async fn event(&mut self) -> Event {
        tokio::time::timeout(PATIENCE, self.next())
            .await
            .expect("something happens")
    }

    async fn next(&mut self) -> Event {
        let mut buffer = vec![0; 65_536];
        loop {
            if let Some(event) = self.events.pop_front() {
                return event;
            }
            let read = self.io.read(&mut buffer).await.unwrap();
            assert!(read > 0, "the server closed the connection");
            self.session.handle_input(&buffer[..read], Instant::now()).unwrap();
            while let Some(event) = self.session.poll_event() {
                self.events.push_back(event);
            }
            self.flush().await;
        }
    }

    pub async fn until(&mut self, found: impl Fn(&Event) -> bool) {
        while !found(&self.event().await) {}
    }

    /// The next media, `count` of them.
    pub async fn media(&mut self, count: usize) -> Vec<(Kind, u32, Bytes)> {
        let mut media = Vec::new();
        while media.len() < count {
            if let Event::Media { kind, timestamp, tag } = self.event().await {
                media.push((kind, timestamp, tag));
            }
        }
        media
    }

    pub async fn send(&mut self, timestamp: u32, tag: &[u8]) {
        self.session.send_media(Kind::Video, timestamp, tag);
        self.flush().await;
    }

    pub async fn send_config(&mut self) {
        self.send(0, &avc_config()).await;
    }

    pub async fn send_frame(&mut self, timestamp: u32, keyframe: bool) {
        self.send(timestamp, &frame(timestamp, keyframe, 3_000)).await;
    }

    /// Whether the server closes the connection.
    pub async fn is_closed(&mut self) -> bool {
        let mut buffer = [0; 4_096];
        let closed = async {
            loop {
                match self.io.read(&mut buffer).await {
                    Ok(0) | Err(_) => return true,
                    Ok(_) => {}
                }
            }
        };
        tokio::time::timeout(PATIENCE, closed).await.unwrap_or(false)
    }
}

pub async fn is_closed(mut stream: TcpStream) -> bool {
    let mut buffer = [0; 16];
    let read = tokio::time::timeout(PATIENCE, stream.read(&mut buffer)).await;
    matches!(read, Ok(Ok(0) | Err(_)))
}

pub async fn tls(server: &Server, trusted: &CertificateDer<'static>) -> tokio_rustls::client::TlsStream<TcpStream> {
    let mut roots = rustls::RootCertStore::empty();
    roots.add(trusted.clone()).unwrap();
    let config = rustls::ClientConfig::builder()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(server.address).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector
        .connect(ServerName::try_from("localhost").unwrap(), stream)
        .await
        .unwrap()
}

pub async fn ending(events: &mut broadcast::Receiver<hub::Event>) -> Ending {
    let found = async {
        loop {
            if let hub::Event::Disconnected(_, ending) = events.recv().await.unwrap() {
                return ending;
            }
        }
    };
    tokio::time::timeout(PATIENCE, found).await.expect("the source leaves")
}

/// Publishes these seconds at 30 frames a second with a key frame each, all at once.
pub async fn publish_seconds<S>(client: &mut Client<S>, seconds: std::ops::Range<u32>)
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    client.send_config().await;
    for index in seconds.start * 30..seconds.end * 30 {
        client.send_frame(index * 1_000 / 30, index % 30 == 0).await;
    }
}

/// Baseline 64x64.
pub fn avc_config() -> Vec<u8> {
    let mut tag = vec![0x17, 0, 0, 0, 0];
    tag.extend_from_slice(&[1, 0x42, 0xc0, 0x1e, 0xff, 0xe1, 0, SPS.len() as u8]);
    tag.extend_from_slice(SPS);
    tag.extend_from_slice(&[1, 0, 5, 0x68, 0xcb, 0x83, 0xcb, 0x20]);
    tag
}

const SPS: &[u8] = &[
    0x67, 0x42, 0xc0, 0x0a, 0xd9, 0x04, 0x26, 0xc0, 0x44, 0x00, 0x00, 0x03, 0x00, 0x04, 0x00, 0x00, 0x03, 0x00, 0xf0,
    0x3c, 0x48, 0x99, 0x20,
];

/// A frame that is one slice of `len` bytes.
pub fn frame(seed: u32, keyframe: bool, len: usize) -> Vec<u8> {
    let mut tag = vec![if keyframe { 0x17 } else { 0x27 }, 1, 0, 0, 0];
    tag.extend_from_slice(&(len as u32).to_be_bytes());
    tag.push(if keyframe { 0x65 } else { 0x41 });
    tag.resize(5 + 4 + len, 1 + (seed % 200) as u8);
    tag
}
