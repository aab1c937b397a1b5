//! What changes in a broadcast, under its lock: its log and timeline, and the source that holds its slot.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use media::{Parameters, Sample, TrackId};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::clock::micros_of;
use crate::health::Meter;
use crate::log::{Log, Tracks};
use crate::timeline::{Timeline, micros};
use crate::wall_clock::WallClock;
use crate::{Health, Item, LadderReport, Planned, Priority, Revoked, Settings, SourceInfo, State};

/// A source that was displaced stays so for this long after it last tried to come back.
const DISPLACED_FOR: Duration = Duration::from_secs(60);
/// A source that sent nothing for this long is not healthy: its place may be taken, and its picture is held.
pub(crate) const STALLED_AFTER: Duration = Duration::from_millis(1_500);
/// At most so much is filled at once.
const FILL_MICROS_MAX: i64 = 5_000_000;

#[derive(Debug)]
pub(crate) struct Inner {
    pub(crate) log: Log,
    pub(crate) timeline: Timeline,
    pub(crate) wall: WallClock,
    pub(crate) slot: Option<Slot>,
    pub(crate) slots: u64,
    pub(crate) displaced: Vec<(IpAddr, Instant)>,
    /// When the broadcast ends if no source returns.
    pub(crate) deadline: Option<Instant>,
    pub(crate) state: State,
    /// Whether anybody has ever seen a sample of this broadcast: then another source is a cut.
    pub(crate) seen: bool,
    /// Each follower and the position that it has read up to.
    pub(crate) followers: Vec<(u64, u64)>,
    pub(crate) followers_ever: u64,
    pub(crate) health: Option<Arc<Health>>,
    pub(crate) harvested: Instant,
    pub(crate) keyframe_interval: Option<i64>,
    /// Why it was told to end.
    pub(crate) stopped: Option<String>,
    pub(crate) derived: Made,
}

/// The tracks that are made from the source's.
#[derive(Debug, Default)]
pub(crate) struct Made {
    pub(crate) plan: Option<Arc<[Planned]>>,
    pub(crate) parameters: BTreeMap<TrackId, Parameters>,
    pub(crate) report: Option<Arc<LadderReport>>,
}

/// The source that is attached.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) id: u64,
    pub(crate) info: SourceInfo,
    pub(crate) priority: Priority,
    pub(crate) revoke: watch::Sender<Option<Revoked>>,
    /// Whether its first sample is on the timeline.
    pub(crate) active: bool,
    pub(crate) last: Instant,
    pub(crate) meter: Meter,
}

/// What a publisher gets when it is attached.
pub(crate) struct Attached {
    pub(crate) slot: u64,
    pub(crate) revoked: watch::Receiver<Option<Revoked>>,
}

impl Inner {
    /// What a follower must know that begins in the middle.
    pub(crate) fn push_parameters(&self, tracks: Tracks, out: &mut Vec<Item>) {
        let all = tracks == Tracks::All;
        out.extend(self.derived.plan.clone().filter(|_| all).map(Item::Planned));
        let sent = self.timeline.tracks().into_iter();
        let sent = sent.filter(|&track| (all || track.is_main()) && self.timeline.has(track));
        out.extend(sent.filter_map(|track| {
            let parameters = self.timeline.parameters(track)?;
            Some(Item::Parameters { track, parameters })
        }));
        let made = self.derived.parameters.iter().filter(|_| all);
        out.extend(made.map(|(&track, parameters)| Item::Parameters {
            track,
            parameters: parameters.clone(),
        }));
    }

    /// Takes note that a follower has read everything.
    pub(crate) fn followed(&mut self, follower: u64) {
        let end = self.log.end();
        for (_, position) in self.followers.iter_mut().filter(|(id, _)| *id == follower) {
            *position = end;
        }
        let least = self.followers.iter().map(|&(_, position)| position).min();
        self.log.release(least.unwrap_or(u64::MAX));
    }

    /// Whether this address lost its place to the source that is there now. Asking keeps the memory fresh, so that an
    /// encoder that tries for ever never gets its turn while its successor is well.
    pub(crate) fn was_displaced(&mut self, identity: IpAddr, now: Instant) -> bool {
        self.displaced.retain(|&(_, until)| until > now);
        match self.displaced.iter_mut().find(|(address, _)| *address == identity) {
            Some((_, until)) => {
                *until = now + DISPLACED_FOR;
                true
            }
            None => false,
        }
    }

    pub(crate) fn displace(&mut self, now: Instant) {
        let Some(slot) = self.slot.take() else { return };
        slot.revoke.send_replace(Some(Revoked::Displaced));
        if slot.priority == Priority::Ordinary && now - slot.last < STALLED_AFTER {
            self.displaced.push((slot.info.peer.ip(), now + DISPLACED_FOR));
        }
    }

    pub(crate) fn occupy(&mut self, priority: Priority, info: SourceInfo, now: Instant) -> Attached {
        self.slots += 1;
        let (revoke, revoked) = watch::channel(None);
        let slot = Slot {
            id: self.slots,
            info,
            priority,
            revoke,
            active: false,
            last: now,
            meter: Meter::default(),
        };
        self.slot = Some(slot);
        self.state = State::Live;
        self.deadline = None;
        Attached {
            slot: self.slots,
            revoked,
        }
    }

    pub(crate) fn fill_to(&mut self, position: i64, settings: &Settings) {
        let Some(newest) = self.timeline.newest() else { return };
        self.fill_tracks(position.min(newest + FILL_MICROS_MAX), micros_of(settings.part));
    }

    pub(crate) fn fill_tracks(&mut self, until: i64, part: i64) {
        for track in self.timeline.tracks() {
            self.fill_track(track, until, part);
        }
    }

    pub(crate) fn fill_track(&mut self, track: TrackId, until: i64, part: i64) {
        let mut samples = Vec::new();
        self.timeline.fill(track, until, part, &mut samples);
        self.append_filled(track, &mut samples);
    }

    pub(crate) fn append_filled(&mut self, track: TrackId, samples: &mut Vec<Sample>) {
        let Some(timescale) = self.timeline.timescale(track) else {
            return;
        };
        for sample in samples.drain(..) {
            let media = micros(sample.dts, timescale);
            self.log.push(Item::Sample { track, sample }, media);
        }
    }
}
