use std::future::pending;
use std::time::Duration;

use hub::{Ending, Publisher, Revoked};
use rtmp::server::{Event, PublishRefusal};
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::info;

use super::connection::{Connection, Io, Over, READ_MAX, now};
use super::ingest::Ingest;
use super::tick;

/// A source that is ahead of its time is read this often at least, so that it is never taken for silent.
const REST_MAX: Duration = Duration::from_secs(1);

/// Reads a publisher until it ends its stream (`Ok`: it may publish again) or is gone.
///
/// Whatever happens, the broadcast hears of the end: the publisher's handle tells it when it is dropped.
pub(super) async fn run<S: Io>(connection: &mut Connection<S>, publisher: Publisher) -> Result<(), Over> {
    let _counted = Counted::new(connection);
    let broadcast = std::sync::Arc::clone(publisher.broadcast());
    info!(broadcast = %broadcast.name(), id = %broadcast.id(), address = %connection.peer.address,
        protocol = connection.peer.protocol.as_str(), "publishing");
    let revoked = publisher.revoked();
    tokio::pin!(revoked);
    let mut ingest = Ingest::new(publisher, connection.shared.stats.clone());
    let timer = sleep_until(Instant::now());
    tokio::pin!(timer);
    let mut drained = true;

    let result = loop {
        if take(connection, &mut ingest) {
            ingest.finish(Ending::Unpublished);
            info!(broadcast = %broadcast.name(), "unpublished");
            return Ok(());
        }
        let step = tokio::select! {
            biased;
            reason = &mut revoked => {
                connection.session.end_publish(PublishRefusal::BadName, &told(&reason));
                Err(Over::Revoked)
            }
            read = read_in_time(connection, rest(&ingest, drained), timer.as_mut()) => read,
        };
        match step {
            Ok(read) => drained = read < READ_MAX,
            Err(over) => break over,
        }
    };
    // What came before the end still counts, and it may say that the end was meant.
    let ending = if take(connection, &mut ingest) {
        Ending::Unpublished
    } else {
        Ending::Lost
    };
    ingest.finish(ending);
    info!(broadcast = %broadcast.name(), address = %connection.peer.address, ?ending, "publisher gone: {result}");
    Err(result)
}

/// Hands all that was read to the hub; returns whether the stream was ended.
fn take<S: Io>(connection: &mut Connection<S>, ingest: &mut Ingest) -> bool {
    let mut any = false;
    while let Some(event) = connection.session.poll_event() {
        any = true;
        match event {
            Event::Media { kind, timestamp, tag } => {
                if let Some(warning) = ingest.media(kind, timestamp, &tag) {
                    connection.session.warn_publisher(&warning);
                }
            }
            Event::Metadata(metadata) => ingest.metadata(&metadata),
            Event::Unpublish => {
                ingest.flush();
                return true;
            }
            _ => {}
        }
    }
    if any {
        ingest.flush();
    }
    false
}

/// Rests, then reads once; an error if the publisher was silent for too long.
async fn read_in_time<S: Io>(
    connection: &mut Connection<S>,
    rest: Option<Instant>,
    mut timer: std::pin::Pin<&mut Sleep>,
) -> Result<usize, Over> {
    if let Some(until) = rest {
        timer.as_mut().reset(until);
        timer.as_mut().await;
    }
    loop {
        // The timer is set anew only when it has run out, not for each read.
        if timer.is_elapsed() {
            connection.session.handle_timeout(now())?;
            match connection.session.poll_timeout() {
                Some(deadline) => timer.as_mut().reset(Instant::from_std(deadline)),
                None => pending().await,
            }
        }
        tokio::select! {
            biased;
            read = connection.input() => return read,
            () = timer.as_mut() => {}
        }
    }
}

/// Until when not to read: as the hub asks for. What is already there is read before a batch is waited for.
fn rest(ingest: &Ingest, drained: bool) -> Option<Instant> {
    let now = Instant::now();
    if let Some(wait) = ingest.pace() {
        return Some(now + wait.min(REST_MAX));
    }
    (drained && ingest.batching()).then(|| tick::next(now))
}

fn told(reason: &Revoked) -> String {
    match reason {
        Revoked::Displaced => "another source took over this stream".to_owned(),
        Revoked::Withdrawn(reason) => reason.clone(),
    }
}

/// Counts the publisher while it is one.
struct Counted(std::sync::Arc<super::Stats>);

impl Counted {
    fn new<S: Io>(connection: &Connection<S>) -> Self {
        connection.shared.stats.publishers.add();
        Self(connection.shared.stats.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.publishers.remove();
    }
}
