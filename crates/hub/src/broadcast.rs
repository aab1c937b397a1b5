use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use media::{Kind, Parameters, TrackId};
use tokio::sync::{Notify, futures::Notified, watch};
use tokio::time::Instant;

use crate::clock::{micros_of, system_time};
use crate::inner::{Attached, Inner, Made, STALLED_AFTER};
use crate::log::{Bounds, Log, Tracks};
use crate::source_view::SourceView;
use crate::timeline::Timeline;
use crate::wall_clock::WallClock;
use crate::{
    BroadcastId, Clock, Ending, Follow, Follower, Grant, Health, Item, Ladder, LadderReport, Name, Refusal, Restored,
    Revoked, SourceInfo,
};

/// How long a cleanly ended broadcast waits for a source.
const UNPUBLISHED_WAIT: Duration = Duration::from_secs(5);
/// What becomes of a second source with the same key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takeover {
    /// It takes over.
    Replace,
    /// It is refused while the first is healthy.
    Refuse,
}

/// How a broadcast is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// What live playlists list and memory keeps.
    pub window: Duration,
    /// Target length of a part.
    pub part: Duration,
    /// Target length of a segment.
    pub segment: Duration,
    /// How long the broadcast waits for a source that was cut off.
    pub reconnect: Duration,
    /// Who wins when two publish.
    pub takeover: Takeover,
    /// Which qualities there shall be.
    pub ladder: Ladder,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            part: Duration::from_millis(333),
            segment: Duration::from_secs(2),
            reconnect: Duration::from_secs(60),
            takeover: Takeover::Replace,
            ladder: Ladder::Off,
        }
    }
}

/// Where a broadcast is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It has a source.
    Live,
    /// It waits for a source to return.
    Waiting,
    /// It is over.
    Ended,
}

/// One run of a stream: a timeline that sources feed and followers read. It outlives its sources.
#[derive(Debug)]
pub struct Broadcast {
    id: BroadcastId,
    name: Name,
    settings: Settings,
    started: SystemTime,
    epoch: Epoch,
    inner: Mutex<Inner>,
    wake: Notify,
    /// Apart from `wake`: who follows the main tracks alone is not woken for what is made from them.
    wake_derived: Notify,
    sub_second: AtomicUsize,
    ended: watch::Sender<bool>,
    pub(crate) clock: Clock,
}

/// Media time 0 on the monotonic clock: how much of the broadcast had passed at an instant.
#[derive(Clone, Copy, Debug)]
struct Epoch {
    at: Instant,
    micros: i64,
}

impl Broadcast {
    pub(crate) fn new(
        name: Name,
        settings: Settings,
        clock: Clock,
        bounds: Bounds,
        restored: Option<&Restored>,
    ) -> Self {
        let now = Instant::now();
        let unix = clock.unix_micros();
        let started = restored.map_or(unix, |restored| crate::clock::unix_micros(restored.started));
        let inner = Inner {
            log: Log::new(bounds),
            timeline: Timeline::default(),
            wall: WallClock::new(started),
            slot: None,
            slots: 0,
            displaced: Vec::new(),
            deadline: restored.map(|restored| now + restored.wait),
            state: State::Waiting,
            seen: restored.is_some(),
            followers: Vec::new(),
            followers_ever: 0,
            health: None,
            harvested: now,
            keyframe_interval: None,
            stopped: None,
            derived: Made::default(),
        };
        Self {
            id: restored.map_or_else(BroadcastId::random, |restored| restored.id.clone()),
            name,
            settings,
            started: system_time(started),
            epoch: Epoch {
                at: now,
                micros: (unix - started).max(0),
            },
            inner: Mutex::new(inner),
            wake: Notify::new(),
            wake_derived: Notify::new(),
            sub_second: AtomicUsize::new(0),
            ended: watch::Sender::new(false),
            clock,
        }
    }

    /// Its id; another run of the same stream has another.
    pub fn id(&self) -> &BroadcastId {
        &self.id
    }

    /// The public name of the stream.
    pub fn name(&self) -> &Name {
        &self.name
    }

    /// How it is run.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The wall-clock time of media time 0. A restart of the server does not change it.
    pub fn started(&self) -> SystemTime {
        self.started
    }

    /// Microseconds since 1970 of media time 0 as it is measured now: a sample's date-time is its media time plus this.
    pub fn clock_offset_micros(&self) -> i64 {
        self.lock().wall.offset()
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        self.lock().state
    }

    /// Why it was stopped, if it was.
    pub fn stopped(&self) -> Option<String> {
        self.lock().stopped.clone()
    }

    /// Waits until it is over. Cancel safe.
    pub async fn ended(&self) {
        // The sender lives as long as the broadcast, so waiting cannot fail.
        let _ = self.ended.subscribe().wait_for(|ended| *ended).await;
    }

    /// How its source did in the last second; `None` while none is there.
    pub fn health(&self) -> Option<Arc<Health>> {
        self.lock().health.clone()
    }

    /// Who feeds it; `None` while nobody does.
    pub fn source(&self) -> Option<SourceInfo> {
        self.lock().slot.as_ref().map(|slot| slot.info.clone())
    }

    /// The parameters of the main track of a kind as they are now.
    pub fn parameters(&self, kind: Kind) -> Option<Parameters> {
        self.lock().timeline.parameters(TrackId::main(kind))
    }

    /// The tracks that sources send, video first.
    pub fn tracks(&self) -> Vec<(TrackId, Parameters)> {
        let inner = self.lock();
        let tracks = inner.timeline.tracks().into_iter();
        tracks
            .filter_map(|track| Some((track, inner.timeline.parameters(track)?)))
            .collect()
    }

    /// How its rungs do; `None` while none was asked for.
    pub fn ladder_report(&self) -> Option<Arc<LadderReport>> {
        self.lock().derived.report.clone()
    }

    /// The last time between two key frames: it sizes the next broadcast's segments.
    pub fn keyframe_interval(&self) -> Option<Duration> {
        let micros = self.lock().keyframe_interval?;
        Some(Duration::from_micros(u64::try_from(micros).ok()?))
    }

    /// Follows the broadcast.
    pub fn follow(self: &Arc<Self>, follow: Follow) -> Follower {
        Follower::new(Arc::clone(self), follow)
    }

    /// Whether somebody follows who must not wait for batched reads.
    pub(crate) fn has_sub_second(&self) -> bool {
        self.sub_second.load(Ordering::Relaxed) > 0
    }

    pub(crate) fn count_sub_second(&self, change: isize) {
        self.sub_second.fetch_add(change.cast_unsigned(), Ordering::Relaxed);
    }

    /// Completes at the next [`wake`](Self::wake).
    pub(crate) fn woken(&self) -> Notified<'_> {
        self.wake.notified()
    }

    /// Completes at the next [`wake_derived`](Self::wake_derived).
    pub(crate) fn woken_derived(&self) -> Notified<'_> {
        self.wake_derived.notified()
    }

    /// Tells all followers to look.
    pub(crate) fn wake(&self) {
        self.wake.notify_waiters();
    }

    /// Tells those to look who follow all tracks.
    pub(crate) fn wake_derived(&self) {
        self.wake_derived.notify_waiters();
    }

    /// Changes what is made from the source's tracks; `None` once the broadcast is over.
    pub(crate) fn with_derived<T>(&self, change: impl FnOnce(&mut Inner) -> T) -> Option<T> {
        let mut inner = self.lock();
        (inner.state != State::Ended).then(|| change(&mut inner))
    }

    /// Makes room for a follower: what is from now on waits for it, within the log's bounds.
    pub(crate) fn admit(&self, position: Option<u64>) -> u64 {
        let mut inner = self.lock();
        inner.followers_ever += 1;
        let follower = inner.followers_ever;
        inner.followers.push((follower, position.unwrap_or(u64::MAX)));
        follower
    }

    pub(crate) fn dismiss(&self, follower: u64) {
        self.lock().followers.retain(|&(id, _)| id != follower);
    }

    /// Copies what `follower` at `position` has not seen; `true` when nothing will come any more.
    pub(crate) fn read(&self, follower: u64, position: &mut Option<u64>, tracks: Tracks, out: &mut Vec<Item>) -> bool {
        let mut inner = self.lock();
        let ended = inner.state == State::Ended;
        let at = match *position {
            Some(at) if at >= inner.log.first() => at,
            lost => {
                let Some(join) = inner.log.join() else { return ended };
                out.extend(lost.filter(|&at| at > 0).map(|_| Item::Lagged));
                inner.push_parameters(tracks, out);
                join
            }
        };
        inner.log.read(at, tracks, out);
        *position = Some(inner.log.end());
        inner.followed(follower);
        ended
    }

    /// Lets a source in, or says why not.
    pub(crate) fn attach(&self, grant: &Grant, info: SourceInfo) -> Result<Attached, Refusal> {
        let mut inner = self.lock();
        if inner.state == State::Ended || inner.stopped.is_some() {
            return Err(Refusal::Unavailable {
                reason: "the broadcast is ending".into(),
            });
        }
        let now = Instant::now();
        let identity = info.peer.ip();
        if let Some(slot) = &inner.slot {
            let healthy = now - slot.last < STALLED_AFTER;
            let settings = grant.settings.takeover;
            if slot.priority > grant.priority
                || (slot.priority == grant.priority && healthy && settings == Takeover::Refuse)
            {
                return Err(Refusal::Busy);
            }
            if slot.priority == grant.priority && healthy && inner.was_displaced(identity, now) {
                return Err(Refusal::Busy);
            }
        }
        inner.displace(now);
        Ok(inner.occupy(grant.priority, info, now))
    }

    /// Takes a source off. Its broadcast waits for another.
    pub(crate) fn detach(&self, slot: u64, ending: Ending) -> bool {
        let mut inner = self.lock();
        if inner.slot.as_ref().is_none_or(|held| held.id != slot) {
            return false;
        }
        inner.slot = None;
        inner.health = None;
        inner.state = State::Waiting;
        let wait = match ending {
            _ if !inner.seen => Duration::ZERO,
            Ending::Unpublished => UNPUBLISHED_WAIT.min(self.settings.reconnect),
            Ending::Lost => self.settings.reconnect,
        };
        inner.deadline = Some(Instant::now() + wait);
        true
    }

    /// Cuts the source off, if there is one, and ends the broadcast with the next look at it. Returns whether there was one; `None` if the
    /// broadcast was over.
    pub(crate) fn stop(&self, reason: &str) -> Option<bool> {
        let mut inner = self.lock();
        if inner.state == State::Ended || inner.stopped.is_some() {
            return None;
        }
        let slot = inner.slot.take();
        if let Some(slot) = &slot {
            slot.revoke.send_replace(Some(Revoked::Withdrawn(reason.to_owned())));
        }
        inner.health = None;
        inner.state = State::Waiting;
        inner.deadline = Some(Instant::now());
        inner.stopped = Some(reason.to_owned());
        Some(slot.is_some())
    }

    /// Runs `change` on the timeline of the source in `slot`; `None` if another source took its place.
    pub(crate) fn with_source<T>(&self, slot: u64, change: impl FnOnce(&mut SourceView<'_>) -> T) -> Option<T> {
        let mut inner = self.lock();
        if inner.slot.as_ref().is_none_or(|held| held.id != slot) {
            return None;
        }
        Some(change(&mut SourceView {
            inner: &mut inner,
            broadcast: self,
        }))
    }

    /// What the clock says should have been sent by now, in microseconds of media time.
    pub(crate) fn position(&self) -> i64 {
        self.epoch.micros + micros_of(self.epoch.at.elapsed())
    }

    /// Fills what no source fills. Returns whether there is more to fill soon.
    pub(crate) fn fill(&self) -> bool {
        let mut inner = self.lock();
        if !inner.seen || inner.state == State::Ended {
            return false;
        }
        let stalled = inner
            .slot
            .as_ref()
            .is_none_or(|slot| slot.last.elapsed() > STALLED_AFTER);
        if stalled {
            inner.fill_to(self.position(), &self.settings);
            self.wake();
        }
        stalled
    }

    /// Ends the broadcast if its time is over.
    pub(crate) fn expire(&self) -> bool {
        let mut inner = self.lock();
        let over = inner.slot.is_none() && inner.deadline.is_some_and(|deadline| deadline <= Instant::now());
        if over {
            inner.state = State::Ended;
            drop(inner);
            self.ended.send_replace(true);
            self.wake();
        }
        over
    }

    /// Measures the source, once a second.
    pub(crate) fn harvest(&self) -> Option<Arc<Health>> {
        let mut inner = self.lock();
        let span = inner.harvested.elapsed();
        if span < Duration::from_millis(990) {
            return None;
        }
        inner.harvested = Instant::now();
        let slot = inner.slot.as_mut().filter(|slot| slot.active)?;
        let interval = slot.meter.keyframe_interval();
        let health = Arc::new(slot.meter.harvest(span));
        inner.keyframe_interval = interval.or(inner.keyframe_interval);
        inner.health = Some(Arc::clone(&health));
        Some(health)
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
