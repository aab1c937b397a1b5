//! Bodies of segments: shared bytes, handed to the connection part by part.

use std::convert::Infallible;
use std::io;
use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use media::TrackId;
use packager::window::Segment;
use tokio::sync::watch;

use super::channel::Channel;
use super::stats::Stats;

/// A range of a segment. Its parts are given out as they are, so that a connection can write many of them at once.
pub(super) struct Whole {
    segment: Arc<Segment>,
    next: usize,
    /// How much of the next parts is not sent, and how much is.
    skip: u64,
    left: u64,
}

impl Whole {
    pub(super) fn new(segment: Arc<Segment>, range: Range<u64>) -> Self {
        Self {
            segment,
            next: 0,
            skip: range.start,
            left: range.end.saturating_sub(range.start),
        }
    }

    fn take(&mut self) -> Option<Bytes> {
        while self.left > 0 {
            let part = self.segment.parts.get(self.next)?.bytes.clone();
            self.next += 1;
            let length = part.len() as u64;
            if self.skip >= length {
                self.skip -= length;
                continue;
            }
            let end = length.min(self.skip + self.left);
            let piece = part.slice(self.skip as usize..end as usize);
            self.left -= piece.len() as u64;
            self.skip = 0;
            return Some(piece);
        }
        None
    }
}

impl Body for Whole {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.take().map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

type Changed = Pin<Box<dyn Future<Output = watch::Receiver<()>> + Send>>;

/// A segment that grows: each part is sent when it is there, as a whole.
pub(super) struct Growing {
    channel: Arc<Channel>,
    stats: Arc<super::Shared>,
    track: TrackId,
    number: u64,
    next: usize,
    changed: Changed,
}

impl Growing {
    pub(super) fn new(live: &super::Live, channel: Arc<Channel>, track: TrackId, number: u64) -> Self {
        let mut changes = channel.changes(track).subscribe();
        // What is there already is sent without waiting.
        changes.mark_changed();
        Self {
            channel,
            stats: Arc::clone(&live.0),
            track,
            number,
            next: 0,
            changed: changed(changes),
        }
    }

    /// The next part; `Ok(None)` if it is not there yet.
    fn next_part(&mut self) -> Result<Option<Bytes>, End> {
        let window = self.channel.window().ok_or(End::Lost)?;
        let rendition = window.rendition(self.track).ok_or(End::Lost)?;
        let segment = rendition.segment(self.number).ok_or(End::Lost)?;
        match segment.parts.get(self.next) {
            Some(part) => {
                self.next += 1;
                Ok(Some(part.bytes.clone()))
            }
            None if self.number < rendition.next_whole() => Err(End::Complete),
            None => Ok(None),
        }
    }

    fn stats(&self) -> &Stats {
        &self.stats.stats
    }
}

enum End {
    Complete,
    /// The viewer was too slow: what it still needs is gone.
    Lost,
}

fn changed(mut changes: watch::Receiver<()>) -> Changed {
    Box::pin(async move {
        // The channel holds the sender, and whoever waits holds the channel.
        let _ = changes.changed().await;
        changes
    })
}

impl Body for Growing {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        loop {
            match self.next_part() {
                Ok(Some(part)) => {
                    self.stats()
                        .media_bytes
                        .fetch_add(part.len() as u64, std::sync::atomic::Ordering::Relaxed);
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                Err(End::Complete) => return Poll::Ready(None),
                Err(End::Lost) => return Poll::Ready(Some(Err(io::Error::other("the segment is gone")))),
                Ok(None) => {}
            }
            let Poll::Ready(changes) = self.changed.as_mut().poll(context) else {
                return Poll::Pending;
            };
            self.changed = changed(changes);
        }
    }
}

#[cfg(test)]
mod tests {
    use http_body_util::BodyExt;
    use packager::DateTime;
    use packager::window::Init;

    use super::*;
    use crate::live::testing;

    async fn collected(range: Range<u64>) -> Vec<u8> {
        let window = testing::window(4_000);
        let segment = Arc::clone(&window.rendition(TrackId::VIDEO).expect("video").kept[1]);
        let _: (&DateTime, &Arc<Init>) = (&segment.date_time, &segment.init);
        let body = Whole::new(segment, range);
        body.collect().await.expect("never fails").to_bytes().to_vec()
    }

    #[tokio::test]
    async fn any_range_of_a_segment_is_what_it_is_of_the_whole() {
        let whole = collected(0..u64::MAX).await;
        let length = whole.len() as u64;
        for (from, to) in [
            (0, 1),
            (1, length),
            (length - 1, length),
            (0, length),
            (100, 20_000),
            (9_000, 9_001),
        ] {
            let (start, end) = (from as usize, to.min(length) as usize);
            assert_eq!(collected(from..to).await, whole[start..end], "{from}..{to}");
        }
    }
}
