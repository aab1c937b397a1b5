use std::sync::Arc;

use crate::{Broadcast, Ending, Health, LadderReport, Name, Refusal, SourceInfo};

/// What happens to broadcasts, in order per broadcast. Reports, not commands: a listener that falls behind misses some.
#[derive(Clone, Debug)]
pub enum Event {
    /// A broadcast began; its first source is about to send.
    Started(Arc<Broadcast>),
    /// A source is connected to it.
    Connected(Arc<Broadcast>, SourceInfo),
    /// Its first sample is on the timeline.
    Active(Arc<Broadcast>),
    /// A source with a good grant for this name was refused by the hub itself.
    Refused(Name, Refusal),
    /// A source left it; the broadcast waits for one to return.
    Disconnected(Arc<Broadcast>, Ending),
    /// How its source does, once a second.
    Health(Arc<Broadcast>, Arc<Health>),
    /// How its rungs do, whenever that changes.
    Ladder(Arc<Broadcast>, Arc<LadderReport>),
    /// It is over; a later publish is a new broadcast.
    Ended(Arc<Broadcast>),
}
