use std::net::IpAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use media::{Kind, Parameters, Sample};
use tokio::sync::{Notify, futures::Notified, watch};
use tokio::time::Instant;

use crate::clock::{micros_of, system_time};
use crate::health::Meter;
use crate::log::{Bounds, Log};
use crate::timeline::{Timeline, micros};
use crate::wall_clock::WallClock;
use crate::{
    BroadcastId, Clock, Ending, Follow, Follower, Grant, Health, Item, Name, Priority, Refusal, Restored, Revoked,
    SourceInfo,
};

/// A source that was displaced stays so for this long after it last tried to come back.
const DISPLACED_FOR: Duration = Duration::from_secs(60);
/// A source that sent nothing for this long is not healthy: its place may be taken, and its picture is held.
const STALLED_AFTER: Duration = Duration::from_millis(1_500);
/// How long a cleanly ended broadcast waits for a source.
const UNPUBLISHED_WAIT: Duration = Duration::from_secs(5);
/// At most so much is filled at once.
const FILL_MICROS_MAX: i64 = 5_000_000;
/// Fills stay this far behind a track that still has a source.
const FILL_BEHIND_MICROS: i64 = 1_000_000;

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
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(60),
            part: Duration::from_millis(333),
            segment: Duration::from_secs(2),
            reconnect: Duration::from_secs(60),
            takeover: Takeover::Replace,
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

#[derive(Debug)]
struct Inner {
    log: Log,
    timeline: Timeline,
    wall: WallClock,
    slot: Option<Slot>,
    slots: u64,
    displaced: Vec<(IpAddr, Instant)>,
    /// When the broadcast ends if no source returns.
    deadline: Option<Instant>,
    state: State,
    /// Whether anybody has ever seen a sample of this broadcast: then another source is a cut.
    seen: bool,
    /// Each follower and the position that it has read up to.
    followers: Vec<(u64, u64)>,
    followers_ever: u64,
    health: Option<Arc<Health>>,
    harvested: Instant,
    keyframe_interval: Option<i64>,
}

/// The source that is attached.
#[derive(Debug)]
struct Slot {
    id: u64,
    info: SourceInfo,
    priority: Priority,
    revoke: watch::Sender<Option<Revoked>>,
    /// Whether its first sample is on the timeline.
    active: bool,
    last: Instant,
    meter: Meter,
}

/// What a publisher gets when it is attached.
pub(crate) struct Attached {
    pub(crate) slot: u64,
    pub(crate) revoked: watch::Receiver<Option<Revoked>>,
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

    /// The parameters of a track as they are now.
    pub fn parameters(&self, kind: Kind) -> Option<Parameters> {
        self.lock().timeline.parameters(kind)
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

    /// Tells all followers to look.
    pub(crate) fn wake(&self) {
        self.wake.notify_waiters();
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
    pub(crate) fn read(&self, follower: u64, position: &mut Option<u64>, out: &mut Vec<Item>) -> bool {
        let mut inner = self.lock();
        let ended = inner.state == State::Ended;
        let at = match *position {
            Some(at) if at >= inner.log.first() => at,
            lost => {
                let Some(join) = inner.log.join() else { return ended };
                out.extend(lost.filter(|&at| at > 0).map(|_| Item::Lagged));
                inner.push_parameters(out);
                join
            }
        };
        inner.log.read(at, out);
        *position = Some(inner.log.end());
        inner.followed(follower);
        ended
    }

    /// Lets a source in, or says why not.
    pub(crate) fn attach(&self, grant: &Grant, info: SourceInfo) -> Result<Attached, Refusal> {
        let mut inner = self.lock();
        if inner.state == State::Ended {
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

/// The timeline as the attached source sees it, under the broadcast's lock.
pub(crate) struct SourceView<'a> {
    inner: &'a mut Inner,
    broadcast: &'a Broadcast,
}

impl SourceView<'_> {
    /// Where a source's first sample, or one after a jump, goes: after all that is there, and not before its time.
    pub(crate) fn origin(&self) -> i64 {
        let position = if self.active() {
            i64::MIN
        } else {
            self.broadcast.position()
        };
        self.inner.timeline.newest().unwrap_or(0).max(position).max(0)
    }

    /// Whether this source's first sample is on the timeline.
    pub(crate) fn active(&self) -> bool {
        self.slot().active
    }

    /// Since when the source has sent nothing.
    pub(crate) fn idle(&self) -> Duration {
        self.slot().last.elapsed()
    }

    /// The source's first sample comes now.
    pub(crate) fn activate(&mut self) {
        self.slot_mut().active = true;
        let at = self.now();
        if self.inner.seen {
            self.inner.log.push(Item::Cut, at);
            self.inner.wall.restart();
        }
        self.inner.seen = true;
    }

    pub(crate) fn announce(&mut self, video: bool, audio: bool) {
        let at = self.now();
        self.inner.log.push(Item::Announced { video, audio }, at);
    }

    /// Takes a track's parameters onto the timeline, and tells followers if they are new or `again` is set.
    pub(crate) fn configure(&mut self, parameters: &Parameters, again: bool) {
        let at = self.now();
        if self.inner.timeline.configure(parameters) || again {
            self.inner.log.push(Item::Parameters(parameters.clone()), at);
        }
    }

    pub(crate) fn timeline(&mut self) -> &mut Timeline {
        &mut self.inner.timeline
    }

    /// Appends a sample of the source: it came now.
    pub(crate) fn append(&mut self, kind: Kind, sample: Sample, jumps: u32) {
        let Some(timescale) = self.inner.timescale(kind) else {
            return;
        };
        let media = micros(sample.dts, timescale);
        let unix = self.broadcast.clock.unix_micros();
        self.inner.wall.arrived(media, unix);
        let slot = self.slot_mut();
        slot.last = Instant::now();
        slot.meter.set_jumps(jumps);
        slot.meter.arrived(sample.data.len(), unix - media);
        if kind == Kind::Video {
            slot.meter.video(media, sample.cts != 0, sample.keyframe);
        }
        self.inner.log.push(Item::Sample { kind, sample }, media);
    }

    /// Appends samples that no source sent.
    pub(crate) fn append_filled(&mut self, kind: Kind, samples: &mut Vec<Sample>) {
        self.inner.append_filled(kind, samples);
    }

    /// A track that this source does not send, or that fell behind the other, is filled up to a second behind it.
    pub(crate) fn fill_missing(&mut self) {
        let (video, audio) = (
            self.inner.timeline.end(Kind::Video),
            self.inner.timeline.end(Kind::Audio),
        );
        let (Some(video), Some(audio)) = (video, audio) else {
            return;
        };
        if (video - audio).abs() <= 2 * FILL_BEHIND_MICROS {
            return;
        }
        let part = micros_of(self.broadcast.settings.part);
        self.inner.fill_tracks(video.max(audio) - FILL_BEHIND_MICROS, part);
    }

    /// The time of what is no sample: after all that is there, and not before its time.
    fn now(&self) -> i64 {
        self.inner.timeline.newest().unwrap_or(0).max(self.broadcast.position())
    }

    fn slot(&self) -> &Slot {
        self.inner
            .slot
            .as_ref()
            .expect("a view is made only while its slot is held")
    }

    fn slot_mut(&mut self) -> &mut Slot {
        self.inner
            .slot
            .as_mut()
            .expect("a view is made only while its slot is held")
    }
}

impl Inner {
    fn push_parameters(&self, out: &mut Vec<Item>) {
        let both = [Kind::Video, Kind::Audio]
            .into_iter()
            .filter(|&kind| self.timeline.has(kind));
        out.extend(
            both.filter_map(|kind| self.timeline.parameters(kind))
                .map(Item::Parameters),
        );
    }

    /// Takes note that a follower has read everything.
    fn followed(&mut self, follower: u64) {
        let end = self.log.end();
        for (_, position) in self.followers.iter_mut().filter(|(id, _)| *id == follower) {
            *position = end;
        }
        let least = self.followers.iter().map(|&(_, position)| position).min();
        self.log.release(least.unwrap_or(u64::MAX));
    }

    fn timescale(&self, kind: Kind) -> Option<u32> {
        self.timeline.parameters(kind).map(|parameters| parameters.timescale())
    }

    /// Whether this address lost its place to the source that is there now. Asking keeps the memory fresh, so that an
    /// encoder that tries for ever never gets its turn while its successor is well.
    fn was_displaced(&mut self, identity: IpAddr, now: Instant) -> bool {
        self.displaced.retain(|&(_, until)| until > now);
        match self.displaced.iter_mut().find(|(address, _)| *address == identity) {
            Some((_, until)) => {
                *until = now + DISPLACED_FOR;
                true
            }
            None => false,
        }
    }

    fn displace(&mut self, now: Instant) {
        let Some(slot) = self.slot.take() else { return };
        slot.revoke.send_replace(Some(Revoked::Displaced));
        if slot.priority == Priority::Ordinary && now - slot.last < STALLED_AFTER {
            self.displaced.push((slot.info.peer.ip(), now + DISPLACED_FOR));
        }
    }

    fn occupy(&mut self, priority: Priority, info: SourceInfo, now: Instant) -> Attached {
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

    fn fill_to(&mut self, position: i64, settings: &Settings) {
        let Some(newest) = self.timeline.newest() else { return };
        self.fill_tracks(position.min(newest + FILL_MICROS_MAX), micros_of(settings.part));
    }

    fn fill_tracks(&mut self, until: i64, part: i64) {
        let mut samples = Vec::new();
        self.timeline.fill_video(until, part, &mut samples);
        self.append_filled(Kind::Video, &mut samples);
        self.timeline.fill_audio(until, &mut samples);
        self.append_filled(Kind::Audio, &mut samples);
    }

    fn append_filled(&mut self, kind: Kind, samples: &mut Vec<Sample>) {
        let Some(timescale) = self.timescale(kind) else { return };
        for sample in samples.drain(..) {
            let media = micros(sample.dts, timescale);
            self.log.push(Item::Sample { kind, sample }, media);
        }
    }
}
