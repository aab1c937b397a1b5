use std::future::pending;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use hub::{Ending, Publisher, Revoked};
use rtmp::server::{Event, PublishRefusal};
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};
use tracing::info;

use super::connection::{Connection, Over, READ_MAX, now};
use super::ingest::Ingest;
use super::server::Shared;
use super::socket::Io;
use super::tick;

/// A source that is ahead of its time is read this often at least, so that it is never taken for silent.
const REST_MAX: Duration = Duration::from_secs(1);

/// Reads a publisher until it ends its stream (`Ok`: it may publish again) or is gone.
///
/// Whatever happens, the broadcast hears of the end: the publisher's handle tells it when it is dropped.
pub(super) async fn run<S: Io>(connection: &mut Connection<S>, publisher: Publisher) -> Result<(), Over> {
    let _counted = Counted::new(connection);
    let broadcast = Arc::clone(publisher.broadcast());
    info!(broadcast = %broadcast.name(), id = %broadcast.id(), address = %connection.peer.address,
        protocol = connection.peer.protocol.as_str(), "publishing");
    let mut ingest = Ingest::new(publisher, connection.shared.stats.clone());
    let end = feed(connection, &mut ingest).await;
    // What came before the end still counts, and it may say that the end was meant.
    let unpublished = end.is_ok() || take(connection, &mut ingest);
    let ending = if unpublished { Ending::Unpublished } else { Ending::Lost };
    ingest.finish(ending);
    match &end {
        Ok(()) => info!(broadcast = %broadcast.name(), "unpublished"),
        Err(over) => {
            info!(broadcast = %broadcast.name(), address = %connection.peer.address, ?ending, "publisher gone: {over}");
        }
    }
    connection.watch(true)?;
    end
}

/// Reads on until the publisher ends its stream.
async fn feed<S: Io>(connection: &mut Connection<S>, ingest: &mut Ingest) -> Result<(), Over> {
    let revoked = ingest.revoked();
    tokio::pin!(revoked);
    let departure = connection.shared.departure.near.subscribe();
    let departure = departure_of(departure);
    tokio::pin!(departure);
    let mut asked = false;
    let timer = sleep_until(Instant::now());
    tokio::pin!(timer);
    let mut drained = true;
    while !take(connection, ingest) {
        let read = tokio::select! {
            biased;
            reason = &mut revoked => {
                connection.session.end_publish(PublishRefusal::BadName, &told(&reason));
                return Err(Over::Revoked);
            }
            () = &mut departure, if !asked => {
                asked = true;
                connection.session.request_reconnect(None, "this server is about to restart");
                continue;
            }
            read = read(connection, ingest, drained, timer.as_mut()) => read?,
        };
        drained = read < READ_MAX;
    }
    Ok(())
}

/// Waits until the server is about to stop.
async fn departure_of(mut near: watch::Receiver<bool>) {
    if near.wait_for(|near| *near).await.is_err() {
        // A server that is gone takes its connections along.
        pending::<()>().await;
    }
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

/// Reads once, when it is time; an error if the publisher was silent for too long.
async fn read<S: Io>(
    connection: &mut Connection<S>,
    ingest: &Ingest,
    drained: bool,
    mut timer: Pin<&mut Sleep>,
) -> Result<usize, Over> {
    if let Some(wait) = ingest.pace() {
        tokio::time::sleep(wait.min(REST_MAX)).await;
    } else if drained && let Some(read) = read_by_the_clock(connection, ingest, timer.as_mut()).await? {
        return Ok(read);
    }
    connection.watch(true)?;
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

/// Reads at the shared ticks for as long as the hub asks for batches; `None` when it no longer does. Between the ticks the
/// socket is not watched, so that many sources wake their thread once for all and not for each packet.
async fn read_by_the_clock<S: Io>(
    connection: &mut Connection<S>,
    ingest: &Ingest,
    mut timer: Pin<&mut Sleep>,
) -> Result<Option<usize>, Over> {
    while ingest.batching() {
        connection.watch(false)?;
        timer.as_mut().reset(tick::next(Instant::now()));
        timer.as_mut().await;
        let read = tokio::select! {
            biased;
            read = connection.input() => Some(read?),
            () = std::future::ready(()) => None,
        };
        if read.is_some() {
            return Ok(read);
        }
        if connection
            .session
            .poll_timeout()
            .is_some_and(|deadline| deadline <= now())
        {
            connection.session.handle_timeout(now())?;
        }
    }
    Ok(None)
}

fn told(reason: &Revoked) -> String {
    match reason {
        Revoked::Displaced => "another source took over this stream".to_owned(),
        Revoked::Withdrawn(reason) => reason.clone(),
    }
}

/// Counts the publisher while it is one.
struct Counted {
    shared: Arc<Shared>,
    movable: bool,
}

impl Counted {
    fn new<S: Io>(connection: &Connection<S>) -> Self {
        let (shared, movable) = (Arc::clone(&connection.shared), connection.session.reconnects());
        shared.stats.publishers.add();
        if movable {
            shared.departure.movable.send_modify(|count| *count += 1);
        }
        Self { shared, movable }
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.shared.stats.publishers.remove();
        if self.movable {
            self.shared.departure.movable.send_modify(|count| *count -= 1);
        }
    }
}
