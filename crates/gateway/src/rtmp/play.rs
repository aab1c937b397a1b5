use std::future::poll_fn;
use std::io::IoSlice;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use hub::{Broadcast, Viewing};
use media::Kind;
use rtmp::server::Event;
use tokio::sync::futures::Notified;
use tokio::time::Sleep;
use tracing::{debug, info};

use super::connection::{Connection, Over, now};
use super::feed::{Batch, Cursor, Feed, Next, STREAM};
use super::socket::Io;
use super::stats;

/// Sends a broadcast to a player until that wants no more (`Ok`: it may ask for another), or is gone.
pub(super) async fn run<S: Io>(connection: &mut Connection<S>, viewing: &Viewing) -> Result<(), Over> {
    let broadcast = &viewing.broadcast;
    let feed = connection.shared.feeds.of(broadcast);
    let mut player = Player::new(connection);
    info!(broadcast = %broadcast.name(), address = %connection.peer.address, "playing");
    tell_of_codecs(connection, broadcast);
    let result = loop {
        let woken = feed.woken();
        tokio::pin!(woken);
        // From here on no news is missed, though it is looked for only after this.
        woken.as_mut().enable();
        match poll_fn(|cx| player.poll(cx, connection, &feed, woken.as_mut())).await {
            Ok(Turn::Again) => {
                if let Some(reason) = viewing.revoked() {
                    info!(broadcast = %broadcast.name(), address = %connection.peer.address, "the player may watch no longer: {reason}");
                    connection.session.end_play(now());
                    break Err(Over::Revoked);
                }
            }
            Ok(Turn::Ended) => {
                connection.session.end_play(now());
                break Ok(());
            }
            Ok(Turn::Stopped) => break Ok(()),
            Err(over) => break Err(over),
        }
    };
    debug!(broadcast = %broadcast.name(), address = %connection.peer.address, skips = player.skips, "player gone");
    result
}

/// A player whose client never said that it knows the codec may show nothing: the log says why.
fn tell_of_codecs<S: Io>(connection: &Connection<S>, broadcast: &Broadcast) {
    use media::Parameters::{Audio, Video};
    use rtmp::flv;
    let capabilities = connection.session.capabilities();
    for kind in [Kind::Video, Kind::Audio] {
        let fourcc = match broadcast.parameters(kind) {
            Some(Video(video)) if video.codec != media::VideoCodec::Avc => flv::Video::fourcc(video.codec),
            Some(Audio(audio)) if flv::Audio::is_enhanced(audio.codec) => flv::Audio::fourcc(audio.codec),
            _ => continue,
        };
        if !capabilities.takes(fourcc) {
            info!(broadcast = %broadcast.name(), address = %connection.peer.address, codec = fourcc,
                "the player did not say that it knows Enhanced RTMP: it may not play this codec");
        }
    }
}

/// What a poll came to.
enum Turn {
    /// There is news.
    Again,
    /// The broadcast is over, and all of it was sent.
    Ended,
    /// The player wants no more.
    Stopped,
}

/// A position in the feed, and the batch that the socket has taken a part of.
struct Player {
    cursor: Cursor,
    current: Option<Arc<Batch>>,
    /// Bytes of the current batch that have been sent.
    sent: usize,
    stream: u32,
    wants_audio: bool,
    wants_video: bool,
    paused: bool,
    stopping: bool,
    ended: bool,
    /// Runs while the socket takes nothing.
    stall: Option<Pin<Box<Sleep>>>,
    stall_limit: Duration,
    skips: u32,
    counted: Arc<super::Stats>,
}

impl Player {
    fn new<S: Io>(connection: &Connection<S>) -> Self {
        let counted = connection.shared.stats.clone();
        counted.players.add();
        Self {
            cursor: Cursor::Joining(0),
            current: None,
            sent: 0,
            stream: connection.session.stream().unwrap_or(STREAM),
            wants_audio: true,
            wants_video: true,
            paused: false,
            stopping: false,
            ended: false,
            stall: None,
            stall_limit: connection.shared.options.stall,
            skips: 0,
            counted,
        }
    }

    /// Takes what the player says, sends it what there is, and waits for more.
    fn poll<S: Io>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection<S>,
        feed: &Feed,
        woken: Pin<&mut Notified<'_>>,
    ) -> Poll<Result<Turn, Over>> {
        while let Poll::Ready(read) = connection.poll_input(cx) {
            read?;
            self.listen(connection);
        }
        if self.poll_send(cx, connection, feed)?.is_pending() {
            ready!(self.poll_stall(cx))?;
        }
        self.stall = None;
        if self.stopping {
            return Poll::Ready(Ok(Turn::Stopped));
        }
        if self.ended {
            return Poll::Ready(Ok(Turn::Ended));
        }
        ready!(woken.poll(cx));
        Poll::Ready(Ok(Turn::Again))
    }

    fn listen<S: Io>(&mut self, connection: &mut Connection<S>) {
        while let Some(event) = connection.session.poll_event() {
            match event {
                Event::Stop => self.stopping = true,
                Event::Pause(true) => self.paused = true,
                Event::Pause(false) => {
                    self.paused = false;
                    self.cursor = Cursor::Joining(0);
                }
                Event::Receive {
                    kind: Kind::Audio,
                    wanted,
                } => self.wants_audio = wanted,
                Event::Receive {
                    kind: Kind::Video,
                    wanted,
                } => self.wants_video = wanted,
                _ => {}
            }
        }
    }

    /// Sends until nothing is left (`Ready`), or until the socket takes no more.
    fn poll_send<S: Io>(
        &mut self,
        cx: &mut Context<'_>,
        connection: &mut Connection<S>,
        feed: &Feed,
    ) -> Poll<Result<(), Over>> {
        loop {
            let window = self.window(connection, feed);
            if window.is_empty() && connection.outbox.is_empty() {
                return connection.io().poll_flush(cx).map_err(Over::from);
            }
            let written = ready!(poll_write(cx, connection, &window, self.sent))?;
            // It takes again.
            self.stall = None;
            self.advance(&window, connection, written);
        }
    }

    /// What is to be sent next: the rest of the current batch, or our answers; then the batches that follow.
    fn window<S: Io>(&mut self, connection: &mut Connection<S>, feed: &Feed) -> Window {
        let mut window = Window::default();
        if let Some(current) = &self.current {
            window.push(Arc::clone(current), self.cursor);
        } else {
            connection.outbox.take_from(&mut connection.session);
        }
        if !self.paused && !self.stopping {
            self.fill(&mut window, connection, feed);
        }
        window
    }

    /// Adds batches from the feed. The cursor moves on only when they have been sent.
    fn fill<S: Io>(&mut self, window: &mut Window, connection: &mut Connection<S>, feed: &Feed) {
        let mut cursor = self.cursor;
        let log = feed.log();
        while !window.is_full() {
            match log.next(&mut cursor) {
                Next::Batch(batch) => {
                    if let Some(batch) = self.tailored(batch) {
                        window.push(batch, cursor);
                    }
                }
                // What decoders must know goes before it, and so after what is in the window already.
                Next::Begin(_) if !window.is_empty() => return,
                Next::Begin(batch) => {
                    connection.outbox.push(batch.head_for(self.stream));
                    self.cursor = cursor;
                }
                Next::Skipped => {
                    self.cursor = cursor;
                    self.skips += 1;
                    stats::count(&self.counted.skips, 1);
                }
                Next::Nothing => return,
                Next::End => {
                    self.ended = window.is_empty();
                    return;
                }
            }
        }
    }

    /// The batch as this player wants it; `None` if nothing of it is wanted.
    fn tailored(&self, batch: Arc<Batch>) -> Option<Arc<Batch>> {
        if self.stream == STREAM && self.wants_audio && self.wants_video {
            return Some(batch);
        }
        let tailored = batch.tailored(self.stream, |kind| match kind {
            Kind::Audio => self.wants_audio,
            Kind::Video => self.wants_video,
        });
        (tailored.len() > 0).then(|| Arc::new(tailored))
    }

    /// The socket took `written` bytes: first answers, then batches.
    fn advance<S: Io>(&mut self, window: &Window, connection: &mut Connection<S>, written: usize) {
        stats::count(&self.counted.bytes_out, written);
        let mut left = connection.outbox.advance(written);
        for (batch, after) in window.batches() {
            let missing = batch.len() - self.sent;
            if left == 0 {
                return;
            }
            self.cursor = *after;
            if left < missing {
                self.sent += left;
                self.current = Some(Arc::clone(batch));
                return;
            }
            left -= missing;
            self.sent = 0;
            self.current = None;
        }
    }

    /// Waits as long as a socket may take nothing.
    fn poll_stall(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Over>> {
        let limit = self.stall_limit;
        let stall = self.stall.get_or_insert_with(|| Box::pin(tokio::time::sleep(limit)));
        ready!(stall.as_mut().poll(cx));
        stats::count(&self.counted.stalled, 1);
        Poll::Ready(Err(Over::Stalled(limit)))
    }
}

impl Drop for Player {
    fn drop(&mut self) {
        self.counted.players.remove();
    }
}

/// The batches of one write, each with the cursor behind it.
#[derive(Default)]
struct Window {
    batches: [Option<(Arc<Batch>, Cursor)>; Self::LEN_MAX],
    len: usize,
}

impl Window {
    const LEN_MAX: usize = 16;

    fn push(&mut self, batch: Arc<Batch>, after: Cursor) {
        if let Some(place) = self.batches.get_mut(self.len) {
            *place = Some((batch, after));
            self.len += 1;
        }
    }

    fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn is_full(&self) -> bool {
        self.len == Self::LEN_MAX
    }

    fn batches(&self) -> impl Iterator<Item = &(Arc<Batch>, Cursor)> {
        self.batches.iter().flatten()
    }
}

/// Writes our answers and the window's batches, less what was `sent` of the first, in one call.
fn poll_write<S: Io>(
    cx: &mut Context<'_>,
    connection: &mut Connection<S>,
    window: &Window,
    sent: usize,
) -> Poll<Result<usize, Over>> {
    const SLICES_MAX: usize = 64;
    let mut slices = [IoSlice::new(&[]); SLICES_MAX];
    let mut skip = sent;
    let answers = connection.outbox.shared();
    let pieces = window.batches().flat_map(|(batch, _)| batch.pieces());
    let wanted = pieces.filter_map(|piece| {
        let skipped = skip.min(piece.len());
        skip -= skipped;
        piece.get(skipped..).filter(|rest| !rest.is_empty())
    });
    let all = Some(&answers[..])
        .filter(|answers| !answers.is_empty())
        .into_iter()
        .chain(wanted);
    let count = slices
        .iter_mut()
        .zip(all)
        .map(|(slice, bytes)| *slice = IoSlice::new(bytes))
        .count();
    let written = ready!(connection.io().poll_write_vectored(cx, &slices[..count]))?;
    if written == 0 {
        return Poll::Ready(Err(Over::Closed));
    }
    Poll::Ready(Ok(written))
}
