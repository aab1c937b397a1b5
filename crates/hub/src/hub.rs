use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime};

use tokio::sync::{Notify, broadcast, watch};

use crate::clock::system_time;
use crate::log::Bounds;
use crate::{
    Authority, Broadcast, BroadcastId, Clock, Derived, Ending, Event, Grant, Name, PlayRequest, PublishRequest,
    Publisher, Refusal, Settings, SourceInfo, Standing,
};

/// While a still is held or a source may be stalled, the hub looks this often.
const FILL_EVERY: Duration = Duration::from_millis(50);
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Events that a slow listener may be behind before it misses some.
const EVENTS_MAX: usize = 4_096;

/// What one server holds at most.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Broadcasts at once.
    pub broadcasts_max: usize,
    /// Bytes of samples that a broadcast keeps for its followers.
    pub log_bytes_max: usize,
    /// Seconds of samples that a broadcast keeps for its followers.
    pub log_seconds_max: u32,
    /// From so many sources on, reads are batched where nobody watches within a second.
    pub crowd: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            broadcasts_max: 1_000,
            log_bytes_max: 32 << 20,
            log_seconds_max: 15,
            crowd: 20,
        }
    }
}

/// A broadcast that was live when the server stopped.
#[derive(Clone, Debug)]
pub struct Restored {
    /// Its id.
    pub id: BroadcastId,
    /// Its public name.
    pub name: Name,
    /// The wall-clock time of its media time 0.
    pub started: SystemTime,
    /// How it was run.
    pub settings: Settings,
    /// How long to wait for its source.
    pub wait: Duration,
}

/// A player's place at a broadcast.
#[derive(Clone, Debug)]
pub struct Viewing {
    /// What it watches.
    pub broadcast: Arc<Broadcast>,
    standing: watch::Receiver<Standing>,
}

impl Viewing {
    /// Why the player must go, if its right was withdrawn. Cheap enough to ask for each frame.
    pub fn revoked(&self) -> Option<String> {
        match &*self.standing.borrow() {
            Standing::Revoked(reason) => Some(reason.clone()),
            Standing::Valid => None,
        }
    }
}

/// All broadcasts of this server. Cloning gives another handle to the same.
#[derive(Clone)]
pub struct Hub(Arc<Shared>);

struct Shared {
    authority: Arc<dyn Authority>,
    limits: Limits,
    clock: Clock,
    broadcasts: Mutex<HashMap<Name, Arc<Broadcast>>>,
    sources: AtomicUsize,
    events: broadcast::Sender<Event>,
    /// There is something to look after.
    look: Notify,
}

impl std::fmt::Debug for Hub {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hub").finish_non_exhaustive()
    }
}

impl Hub {
    /// A hub without broadcasts, on the system's clock.
    pub fn new(authority: Arc<dyn Authority>, limits: Limits) -> Self {
        Self::with_clock(authority, limits, Clock::System)
    }

    /// A hub on another clock, for tests under paused time.
    pub fn with_clock(authority: Arc<dyn Authority>, limits: Limits, clock: Clock) -> Self {
        Self(Arc::new(Shared {
            authority,
            limits,
            clock,
            broadcasts: Mutex::default(),
            sources: AtomicUsize::new(0),
            events: broadcast::Sender::new(EVENTS_MAX),
            look: Notify::new(),
        }))
    }

    /// Lets a source in, once the authority agrees.
    ///
    /// # Errors
    /// The authority's refusal, [`Refusal::Busy`] if another source keeps the broadcast, [`Refusal::Unavailable`] if the
    /// server is full.
    pub async fn publish(&self, request: PublishRequest) -> Result<Publisher, Refusal> {
        let grant = self.0.authority.publish(&request).await?;
        let info = SourceInfo {
            peer: request.caller.peer,
            protocol: request.caller.protocol,
            since: system_time(self.0.clock.unix_micros()),
        };
        let started = self.find_or_start(&grant);
        let joined = started.and_then(|(broadcast, new)| Ok((broadcast.attach(&grant, info.clone())?, broadcast, new)));
        let (attached, broadcast, new) =
            joined.inspect_err(|refusal| self.emit(Event::Refused(grant.name.clone(), refusal.clone())))?;
        if new {
            self.emit(Event::Started(Arc::clone(&broadcast)));
        }
        self.emit(Event::Connected(Arc::clone(&broadcast), info));
        self.look();
        Ok(Publisher::new(
            self.clone(),
            broadcast,
            attached,
            grant.standing,
            request.clock,
        ))
    }

    /// Finds the broadcast that a viewer asks for, once the authority agrees.
    ///
    /// # Errors
    /// The authority's refusal, or [`Refusal::NotFound`] if nothing of that name is live.
    pub async fn play(&self, request: PlayRequest) -> Result<Viewing, Refusal> {
        let pass = self.0.authority.play(&request).await?;
        Ok(Viewing {
            broadcast: self.broadcast(&pass.name).ok_or(Refusal::NotFound)?,
            standing: pass.standing,
        })
    }

    /// Ends a broadcast now: its source hears the reason and is cut off, its viewers see the end. Returns whether it ran.
    pub fn stop(&self, id: &BroadcastId, reason: &str) -> bool {
        let Some(broadcast) = self.broadcasts().into_iter().find(|broadcast| broadcast.id() == id) else {
            return false;
        };
        let Some(had_source) = broadcast.stop(reason) else {
            return false;
        };
        if had_source {
            self.emit(Event::Disconnected(broadcast, Ending::Unpublished));
        }
        self.look();
        true
    }

    /// The way in for tracks that are made from this broadcast's own.
    pub fn derive(&self, broadcast: &Arc<Broadcast>) -> Derived {
        Derived::new(self.clone(), Arc::clone(broadcast))
    }

    /// The broadcast of that name, if one runs.
    pub fn broadcast(&self, name: &Name) -> Option<Arc<Broadcast>> {
        self.lock().get(name).cloned()
    }

    /// All broadcasts that run, in no order.
    pub fn broadcasts(&self) -> Vec<Arc<Broadcast>> {
        self.lock().values().cloned().collect()
    }

    /// Listens to what happens from now on.
    pub fn subscribe(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// Takes up a broadcast that was live when the server stopped: it waits for its source.
    pub fn restore(&self, restored: &Restored) {
        let broadcast = self.make(&restored.name, &restored.settings, Some(restored));
        self.lock().insert(restored.name.clone(), Arc::clone(&broadcast));
        self.emit(Event::Started(broadcast));
        self.look();
    }

    /// Looks after the broadcasts: holds stills, measures sources, ends what is over. Runs until it is dropped.
    pub async fn run(self) {
        loop {
            let mut wait = LOOK_EVERY;
            let mut sources = 0;
            let broadcasts = self.broadcasts();
            for broadcast in &broadcasts {
                sources += usize::from(broadcast.source().is_some());
                if self.look_after(broadcast) {
                    wait = FILL_EVERY;
                }
            }
            self.0.sources.store(sources, Ordering::Relaxed);
            if broadcasts.is_empty() {
                self.0.look.notified().await;
            } else {
                // A new loss is looked at at once; otherwise when it is time.
                let _ = tokio::time::timeout(wait, self.0.look.notified()).await;
            }
        }
    }

    /// Whether so many sources are live that reads are better batched.
    pub(crate) fn is_crowded(&self) -> bool {
        self.0.sources.load(Ordering::Relaxed) > self.0.limits.crowd
    }

    pub(crate) fn emit(&self, event: Event) {
        // Without a listener nobody misses it.
        let _ = self.0.events.send(event);
    }

    /// Makes [`run`](Self::run) look now.
    pub(crate) fn look(&self) {
        self.0.look.notify_one();
    }

    /// Returns whether to look again soon.
    fn look_after(&self, broadcast: &Arc<Broadcast>) -> bool {
        let soon = broadcast.fill();
        if let Some(health) = broadcast.harvest() {
            self.emit(Event::Health(Arc::clone(broadcast), health));
        }
        if broadcast.expire() {
            self.lock().retain(|_, held| !Arc::ptr_eq(held, broadcast));
            self.emit(Event::Ended(Arc::clone(broadcast)));
            return false;
        }
        soon
    }

    fn find_or_start(&self, grant: &Grant) -> Result<(Arc<Broadcast>, bool), Refusal> {
        let mut broadcasts = self.lock();
        if let Some(broadcast) = broadcasts.get(&grant.name)
            && broadcast.state() != crate::State::Ended
        {
            return Ok((Arc::clone(broadcast), false));
        }
        if broadcasts.len() >= self.0.limits.broadcasts_max {
            return Err(Refusal::Unavailable {
                reason: "the server carries as many streams as it may".into(),
            });
        }
        let broadcast = self.make(&grant.name, &grant.settings, None);
        broadcasts.insert(grant.name.clone(), Arc::clone(&broadcast));
        Ok((broadcast, true))
    }

    fn make(&self, name: &Name, settings: &Settings, restored: Option<&Restored>) -> Arc<Broadcast> {
        let limits = &self.0.limits;
        let bounds = Bounds {
            bytes_max: limits.log_bytes_max,
            micros_max: i64::from(limits.log_seconds_max) * 1_000_000,
        };
        Arc::new(Broadcast::new(
            name.clone(),
            settings.clone(),
            self.0.clock,
            bounds,
            restored,
        ))
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Arc<Broadcast>>> {
        self.0.broadcasts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
