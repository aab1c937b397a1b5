use std::cell::RefCell;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::{Buf, Bytes};
use hub::{Caller, PlayRequest, Protocol, PublishRequest, Publisher, Refusal, StreamKey, Viewing};
use rtmp::server::{self, Event, PlayRefusal, PublishRefusal, Session};
use tokio::io::ReadBuf;
use tokio::time::Instant;
use tracing::{debug, info};

use super::admission::HalfOpen;
use super::ingest::Ingest;
use super::server::Shared;
use super::socket::Io;
use super::{play, publish, stats};

/// Who is at the other end, and how.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    pub(super) protocol: Protocol,
    /// The number of the connection.
    pub(super) number: u64,
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub(super) enum Over {
    #[error("closed by the peer")]
    Closed,
    #[error("connection lost: {0}")]
    Lost(#[from] io::Error),
    #[error(transparent)]
    Fault(#[from] rtmp::Error),
    #[error("the player took nothing for {0:?}")]
    Stalled(Duration),
    #[error("refused")]
    Refused,
    #[error("another source took over, or the right was withdrawn")]
    Revoked,
}

/// What a peer turned out to be.
enum Role {
    Publisher(Box<Publisher>),
    Player(Viewing),
}

/// One connection from its first byte to its last.
pub(super) struct Connection<S> {
    io: S,
    pub(super) session: Session,
    pub(super) peer: Peer,
    pub(super) shared: Arc<Shared>,
    pub(super) outbox: Outbox,
    half_open: Option<HalfOpen>,
    said: Option<Box<Said>>,
}

/// What a client says of itself when it connects: callbacks are told. Either may hold a secret.
struct Said {
    url: String,
    agent: String,
}

/// Our side of the conversation, as far as the socket has not taken it.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    bytes: Bytes,
    /// Nothing can be written any more. Reading goes on: a publisher that is done closes its end without reading our
    /// acknowledgements, and what it sent before is still on its way.
    broken: bool,
}

/// How much one read takes at most.
pub(super) const READ_MAX: usize = 64 << 10;
/// A peer that takes none of our answers is not worth keeping them.
const OUTBOX_MAX: usize = 256 << 10;
/// How long a peer may take to read why it is sent away.
const FAREWELL: Duration = Duration::from_secs(2);
/// How much a peer that is sent away may still send.
const FAREWELL_BYTES_MAX: usize = 8 << 20;

thread_local! {
    // One buffer for all connections of a thread: a connection that is silent holds none.
    static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ_MAX].into_boxed_slice());
}

impl<S: Io> Connection<S> {
    pub(super) fn new(io: S, peer: Peer, shared: Arc<Shared>, half_open: HalfOpen) -> Self {
        shared.stats.connections.add();
        let options = server::Options {
            limits: shared.options.limits,
            ..server::Options::default()
        };
        // Without a random source the handshake's filling is the same each time, which harms nobody.
        let seed = getrandom::u64().unwrap_or_default();
        Self {
            io,
            session: Session::new(options, seed, Instant::now().into_std()),
            peer,
            shared,
            outbox: Outbox::default(),
            half_open: Some(half_open),
            said: None,
        }
    }

    /// Serves the peer until it is gone.
    pub(super) async fn run(mut self) {
        let over = loop {
            match self.negotiate().await {
                Ok(Role::Publisher(publisher)) => {
                    if let Err(over) = Box::pin(publish::run(&mut self, *publisher)).await {
                        break over;
                    }
                }
                Ok(Role::Player(viewing)) => {
                    if let Err(over) = Box::pin(play::run(&mut self, &viewing)).await {
                        break over;
                    }
                }
                Err(over) => break over,
            }
        };
        self.close(&over).await;
    }

    /// Talks until the peer publishes or plays.
    async fn negotiate(&mut self) -> Result<Role, Over> {
        loop {
            if let Some(role) = self.answer().await? {
                return Ok(role);
            }
            if self.session.is_closing() {
                return Err(Over::Refused);
            }
            self.turn().await?;
            if self.session.is_open() {
                self.half_open = None;
            }
        }
    }

    /// Answers what the peer asked.
    async fn answer(&mut self) -> Result<Option<Role>, Over> {
        while let Some(event) = self.session.poll_event() {
            match event {
                // Any application will do. It is not logged: some publishers put their key into its query.
                Event::Connect(connect) => {
                    debug!(address = %self.peer.address, agent = connect.agent, "connected");
                    self.said = Some(Box::new(Said {
                        url: connect.tc_url,
                        agent: connect.agent,
                    }));
                    self.session.accept_connect(now())?;
                }
                Event::Publish(publish) => {
                    if let Some(publisher) = self.let_publish(publish).await? {
                        return Ok(Some(Role::Publisher(Box::new(publisher))));
                    }
                }
                Event::Play(play) => {
                    if let Some(viewing) = self.let_play(play).await? {
                        return Ok(Some(Role::Player(viewing)));
                    }
                }
                // Of a stream that was refused or has ended.
                _ => {}
            }
        }
        Ok(None)
    }

    async fn let_publish(&mut self, publish: server::Publish) -> Result<Option<Publisher>, Over> {
        let request = PublishRequest {
            key: StreamKey::new(&publish.name),
            caller: self.caller(publish.app, publish.query),
            clock: Ingest::CLOCK,
        };
        match self.shared.hub.publish(request).await {
            Ok(publisher) => {
                self.session.accept_publish(now())?;
                Ok(Some(publisher))
            }
            Err(refusal) => {
                stats::count(&self.shared.stats.refused, 1);
                info!(address = %self.peer.address, %refusal, "publisher refused");
                self.session
                    .refuse_publish(publish_refusal(&refusal), &refusal.to_string());
                Ok(None)
            }
        }
    }

    async fn let_play(&mut self, play: server::Play) -> Result<Option<Viewing>, Over> {
        let request = PlayRequest {
            name: play.name,
            caller: self.caller(play.app, play.query),
        };
        match self.shared.hub.play(request).await {
            Ok(viewing) => {
                self.session.accept_play(None, now())?;
                Ok(Some(viewing))
            }
            Err(refusal) => {
                stats::count(&self.shared.stats.refused, 1);
                debug!(address = %self.peer.address, %refusal, "player refused");
                self.session
                    .refuse_play(play_refusal(&refusal), &refusal.to_string(), now())?;
                Ok(None)
            }
        }
    }

    /// Who asks, as an authority is told.
    fn caller(&self, app: String, query: String) -> Caller {
        let said = self.said.as_deref();
        Caller {
            app,
            query,
            url: said.map_or_else(String::new, |said| said.url.clone()),
            agent: said.map_or_else(String::new, |said| said.agent.clone()),
            connection: self.peer.number,
            ..Caller::at(self.peer.address, self.peer.protocol)
        }
    }

    /// Waits for input, or for the session's deadline.
    async fn turn(&mut self) -> Result<(), Over> {
        self.acknowledge_at_once();
        let deadline = self.session.poll_timeout().map(Instant::from_std);
        tokio::select! {
            biased;
            read = self.input() => read.map(drop),
            () = sleep_until(deadline) => Ok(self.session.handle_timeout(now())?),
        }
    }

    /// Most clients hold back a small message until the last one is acknowledged, and not every message has an answer that
    /// would carry the acknowledgement: without this, each such step to the first frame takes 40 ms. The kernel forgets
    /// the wish after a while, so it is told again.
    fn acknowledge_at_once(&self) {
        #[cfg(target_os = "linux")]
        if let Err(error) = self.io.socket().set_tcp_quickack(true) {
            debug!(address = %self.peer.address, %error, "acknowledgements may be late");
        }
    }

    /// Reads once and feeds the session, sending what is to be sent meanwhile; returns how many bytes came.
    pub(super) async fn input(&mut self) -> Result<usize, Over> {
        poll_fn(|cx| {
            self.poll_answers(cx);
            let read = self.poll_input(cx);
            if read.is_ready() {
                self.poll_answers(cx);
            }
            read
        })
        .await
    }

    /// Reads once into the thread's buffer and feeds the session.
    pub(super) fn poll_input(&mut self, cx: &mut Context<'_>) -> Poll<Result<usize, Over>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
            let bytes = read.filled();
            if bytes.is_empty() {
                return Poll::Ready(Err(Over::Closed));
            }
            stats::count(&self.shared.stats.bytes_in, bytes.len());
            self.session.handle_input(bytes, now())?;
            Poll::Ready(Ok(bytes.len()))
        })
    }

    /// Sends what the session has to say, as far as the socket takes it. A failure shows when reading.
    fn poll_answers(&mut self, cx: &mut Context<'_>) {
        self.outbox.take_from(&mut self.session);
        while !self.outbox.is_empty() {
            match Pin::new(&mut self.io).poll_write(cx, &self.outbox.bytes) {
                Poll::Ready(Ok(written)) if written > 0 => {
                    stats::count(&self.shared.stats.bytes_out, written);
                    self.outbox.advance(written);
                }
                Poll::Ready(_) => self.outbox.break_off(),
                Poll::Pending => return,
            }
        }
        // A TLS session may hold back what it took.
        let _ = Pin::new(&mut self.io).poll_flush(cx);
    }

    /// Whether the reactor wakes this task when something arrives: see [`Io::watch`].
    pub(super) fn watch(&mut self, watched: bool) -> Result<(), Over> {
        Ok(self.io.watch(watched)?)
    }

    pub(super) fn io(&mut self) -> Pin<&mut S> {
        Pin::new(&mut self.io)
    }

    /// Says goodbye: sends what is to be sent, and waits a little until the peer has read it. Closing at once, with bytes
    /// of the peer unread, would make the kernel throw our last words away.
    async fn farewell(&mut self) {
        let goodbye = async {
            poll_fn(|cx| {
                self.poll_answers(cx);
                if self.outbox.is_empty() {
                    Poll::Ready(())
                } else {
                    Poll::Pending
                }
            })
            .await;
            poll_fn(|cx| Pin::new(&mut self.io).poll_shutdown(cx)).await?;
            let mut left = FAREWELL_BYTES_MAX;
            while left > 0 {
                let read = poll_fn(|cx| self.poll_discard(cx)).await?;
                left = if read == 0 { 0 } else { left.saturating_sub(read) };
            }
            Ok::<(), io::Error>(())
        };
        // A peer that does not listen is left.
        let _ = tokio::time::timeout(FAREWELL, goodbye).await;
    }

    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        BUFFER.with_borrow_mut(|buffer| {
            let mut read = ReadBuf::new(buffer);
            ready!(Pin::new(&mut self.io).poll_read(cx, &mut read))?;
            Poll::Ready(Ok(read.filled().len()))
        })
    }

    async fn close(mut self, over: &Over) {
        let address = self.peer.address;
        match over {
            Over::Fault(fault) => {
                self.shared.stats.count_error(fault);
                info!(%address, kind = fault.label(), "connection closed: {fault}");
            }
            Over::Stalled(_) => info!(%address, "connection closed: {over}"),
            _ => debug!(%address, "connection over: {over}"),
        }
        if matches!(over, Over::Refused | Over::Revoked) || matches!(over, Over::Fault(_)) && self.session.is_open() {
            self.farewell().await;
        }
    }
}

impl<S> Drop for Connection<S> {
    fn drop(&mut self) {
        self.shared.stats.connections.remove();
    }
}

impl Outbox {
    /// Takes over what the session wants to send.
    pub(super) fn take_from(&mut self, session: &mut Session) {
        let Some(new) = session.poll_transmit() else { return };
        self.push(new);
    }

    pub(super) fn push(&mut self, new: Bytes) {
        if self.broken {
            return;
        }
        if self.bytes.is_empty() {
            self.bytes = new;
        } else if self.bytes.len() + new.len() <= OUTBOX_MAX {
            self.bytes = [&self.bytes[..], &new].concat().into();
        } else {
            // Half a message would make nonsense of all that follows.
            self.break_off();
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// A handle to the bytes.
    pub(super) fn shared(&self) -> Bytes {
        self.bytes.clone()
    }

    /// So many bytes were sent; returns how many of them were not from here.
    pub(super) fn advance(&mut self, written: usize) -> usize {
        let own = written.min(self.bytes.len());
        self.bytes.advance(own);
        written - own
    }

    fn break_off(&mut self) {
        self.bytes = Bytes::new();
        self.broken = true;
    }
}

fn publish_refusal(refusal: &Refusal) -> PublishRefusal {
    match refusal {
        Refusal::BadName { .. } | Refusal::Busy | Refusal::NotFound => PublishRefusal::BadName,
        Refusal::Unauthorized { .. } | Refusal::Unavailable { .. } => PublishRefusal::Denied,
    }
}

fn play_refusal(refusal: &Refusal) -> PlayRefusal {
    match refusal {
        Refusal::BadName { .. } | Refusal::NotFound => PlayRefusal::StreamNotFound,
        Refusal::Unauthorized { .. } | Refusal::Busy | Refusal::Unavailable { .. } => PlayRefusal::Failed,
    }
}

/// The time as sessions are told it; tests may pause it.
pub(super) fn now() -> std::time::Instant {
    Instant::now().into_std()
}

async fn sleep_until(deadline: Option<Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
