//! Follows the hub: a job for each broadcast that shall have a ladder.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};

use hub::{Broadcast, BroadcastId, Event, Hub, Ladder};
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::warn;

use crate::admission::Budget;
use crate::child::Launch;
use crate::encoder::{Encoder, Family, Found, Probe, probe};
use crate::forecast::{self, Forecast};
use crate::isolation;
use crate::job::{EVENTS_MAX, Job};
use crate::ladder::{Preset, Source};
use crate::planner::Planner;
use crate::works::Works;

/// How a server encodes.
#[derive(Clone, Debug)]
pub struct Options {
    /// The program.
    pub ffmpeg: PathBuf,
    /// What encodes.
    pub family: Family,
    /// The operator's own presets.
    pub presets: Vec<Preset>,
    /// Thousandths of a processor that all encoding may take.
    pub cpu_budget: u32,
    /// Bytes of memory that one child may write to.
    pub memory_max: u64,
    /// An empty folder that children run in.
    pub folder: PathBuf,
}

/// What is left to encoding where nobody says otherwise: three quarters of the processors, in thousandths of one.
pub fn cpu_budget_of(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_mul(750)
}

/// How much of its budget a server encodes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Thousandths of a processor that all encoding may take.
    pub total: u32,
    /// Those that are taken.
    pub used: u32,
}

/// Encodes the ladders of a hub's broadcasts. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct Transcoder {
    budget: Arc<Budget>,
    family: Family,
    presets: Arc<[Preset]>,
    /// Known once they were tried.
    encoders: Arc<OnceLock<Arc<Found>>>,
}

impl Transcoder {
    /// Starts to follow `hub`, for as long as that lives.
    pub fn start(hub: Hub, options: Options, planner: Arc<dyn Planner>) -> Self {
        let budget = Budget::new(options.cpu_budget);
        let transcoder = Self {
            budget: Arc::clone(&budget),
            family: options.family,
            presets: options.presets.clone().into(),
            encoders: Arc::default(),
        };
        let tried = Arc::clone(&transcoder.encoders);
        // Before anything else, so that no broadcast is missed.
        let events = hub.subscribe();
        tokio::spawn(async move {
            let shop = Shop::open(hub, options, budget, planner, tried).await;
            shop.run(events).await;
        });
        transcoder
    }

    /// What `ladder` would be of a source now, if `freed` thousandths of a processor were free beside those that are.
    pub fn forecast(&self, ladder: &Ladder, source: &Source, freed: u32) -> Forecast {
        let room = self
            .budget
            .total()
            .saturating_sub(self.budget.used())
            .saturating_add(freed);
        let known = self.encoders.get().cloned().unwrap_or_default();
        forecast::forecast((&self.presets, self.family, &known), ladder, source, room)
    }

    /// The encoders that were tried here, and how that went; software is taken to work until it does not.
    pub fn tried(&self) -> Vec<(Encoder, Probe)> {
        self.encoders.get().map(|found| found.0.clone()).unwrap_or_default()
    }

    /// How much of the budget is taken.
    pub fn load(&self) -> Load {
        Load {
            total: self.budget.total(),
            used: self.budget.used(),
        }
    }
}

/// What jobs are made from.
struct Shop {
    hub: Hub,
    planner: Arc<dyn Planner>,
    budget: Arc<Budget>,
    launch: Arc<Launch>,
    family: Family,
    encoders: Arc<Found>,
    presets: Arc<[Preset]>,
    cores: usize,
    tried: Arc<OnceLock<Arc<Found>>>,
    jobs: JoinSet<BroadcastId>,
    known: HashSet<BroadcastId>,
}

impl Shop {
    async fn open(
        hub: Hub,
        options: Options,
        budget: Arc<Budget>,
        planner: Arc<dyn Planner>,
        tried: Arc<OnceLock<Arc<Found>>>,
    ) -> Self {
        let encoders = match options.family {
            Family::Software => Found::default(),
            family => probe(&options.ffmpeg, |encoder| encoder.family == family).await,
        };
        if let Err(error) = std::fs::create_dir_all(&options.folder) {
            warn!(%error, folder = %options.folder.display(), "the folder that ffmpeg runs in cannot be made");
        }
        Self {
            hub,
            planner,
            budget,
            launch: Arc::new(Launch {
                isolation: isolation::find(&options.ffmpeg).await,
                ffmpeg: options.ffmpeg,
                memory_max: options.memory_max,
                folder: options.folder,
            }),
            family: options.family,
            encoders: Arc::new(encoders),
            presets: options.presets.into(),
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            tried,
            jobs: JoinSet::new(),
            known: HashSet::new(),
        }
    }

    async fn run(mut self, mut events: tokio::sync::broadcast::Receiver<Event>) {
        self.look();
        loop {
            tokio::select! {
                event = events.recv() => match event {
                    Ok(Event::Started(broadcast)) => self.take(broadcast),
                    Err(RecvError::Lagged(_)) => self.look(),
                    Err(RecvError::Closed) => return,
                    Ok(_) => {}
                },
                Some(ended) = self.jobs.join_next() => match ended {
                    Ok(id) => drop(self.known.remove(&id)),
                    Err(error) => warn!(%error, "the encoding of a broadcast broke off"),
                },
            }
        }
    }

    /// Tries every encoder, once and beside the work, so that whoever runs the server can be told.
    fn try_all(&self) {
        let (tried, ffmpeg) = (Arc::clone(&self.tried), self.launch.ffmpeg.clone());
        if tried.get().is_none() {
            tokio::spawn(async move {
                // Another try that was quicker found the same.
                let _ = tried.set(Arc::new(probe(&ffmpeg, |_| true).await));
            });
        }
    }

    /// Takes up what runs already.
    fn look(&mut self) {
        for broadcast in self.hub.broadcasts() {
            self.take(broadcast);
        }
    }

    fn take(&mut self, broadcast: Arc<Broadcast>) {
        let id = broadcast.id().clone();
        if broadcast.settings().ladder == Ladder::Off || !self.known.insert(id.clone()) {
            return;
        }
        if self.known.len() == 1 {
            self.try_all();
        }
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let works = Works {
            budget: Arc::clone(&self.budget),
            launch: Arc::clone(&self.launch),
            family: self.family,
            encoders: Arc::clone(&self.encoders),
            presets: Arc::clone(&self.presets),
            cores: self.cores,
            events,
            generations: AtomicU64::new(0),
        };
        let job = Job::new(&self.hub, broadcast, Arc::new(works), Arc::clone(&self.planner));
        self.jobs.spawn(async move {
            job.run(receiver).await;
            id
        });
    }
}
