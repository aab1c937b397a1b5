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
use crate::encoder::{Encoder, Family, Found, Probe, has_opus, probe};
use crate::forecast::{self, Forecast};
use crate::isolation;
use crate::job::{EVENTS_MAX, Job};
use crate::ladder::{Preset, Source};
use crate::planner::Planner;
use crate::usage::Usage;
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
    /// Whether sound is made Opus too, where it is not.
    pub opus: bool,
    /// Bytes of memory that one child may write to.
    pub memory_max: u64,
    /// An empty folder that children run in.
    pub folder: PathBuf,
}

/// What is left to encoding where nobody says otherwise: three quarters of the processors, in thousandths of one.
pub fn cpu_budget_of(cores: usize) -> u32 {
    u32::try_from(cores).unwrap_or(u32::MAX).saturating_mul(750)
}

/// What a server encodes with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Load {
    /// Thousandths of a processor that all encoding may take.
    pub total: u32,
    /// Those that are taken.
    pub used: u32,
    /// Those that encoders really took in the last seconds.
    pub measured: u32,
    /// How often an encoder was in trouble, ever.
    pub troubles: u64,
}

/// Encodes the ladders of a hub's broadcasts. Cloning gives another handle to the same.
#[derive(Clone, Debug)]
pub struct Transcoder {
    budget: Arc<Budget>,
    family: Family,
    presets: Arc<[Preset]>,
    usage: Arc<Usage>,
    /// Known once they were tried.
    encoders: Arc<OnceLock<Arc<Found>>>,
}

impl Transcoder {
    /// Starts to follow `hub`, for as long as that lives.
    pub fn start(hub: Hub, options: Options, planner: Arc<dyn Planner>) -> Self {
        let transcoder = Self {
            budget: Budget::new(options.cpu_budget),
            family: options.family,
            presets: options.presets.clone().into(),
            usage: Arc::default(),
            encoders: Arc::default(),
        };
        let known = transcoder.clone();
        // Before anything else, so that no broadcast is missed.
        let events = hub.subscribe();
        tokio::spawn(async move {
            let shop = Shop::open(hub, options, known, planner).await;
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

    /// What the encoders of a broadcast really took in the last seconds, in thousandths of a processor.
    pub fn measured(&self, broadcast: &BroadcastId) -> Option<u32> {
        self.usage.of(broadcast)
    }

    /// How much of the budget is taken.
    pub fn load(&self) -> Load {
        Load {
            total: self.budget.total(),
            used: self.budget.used(),
            measured: self.usage.sum(),
            troubles: self.usage.troubles(),
        }
    }
}

/// What jobs are made from.
struct Shop {
    hub: Hub,
    planner: Arc<dyn Planner>,
    /// What others can ask.
    known: Transcoder,
    launch: Arc<Launch>,
    encoders: Arc<Found>,
    opus: bool,
    cores: usize,
    jobs: JoinSet<BroadcastId>,
    taken: HashSet<BroadcastId>,
}

impl Shop {
    async fn open(hub: Hub, options: Options, known: Transcoder, planner: Arc<dyn Planner>) -> Self {
        let encoders = match options.family {
            Family::Software => Found::default(),
            family => probe(&options.ffmpeg, |encoder| encoder.family == family).await,
        };
        let opus = options.opus && has_opus(&options.ffmpeg).await;
        if options.opus && !opus {
            warn!("this ffmpeg has no libopus: transcode.opus makes nothing");
        }
        if let Err(error) = std::fs::create_dir_all(&options.folder) {
            warn!(%error, folder = %options.folder.display(), "the folder that ffmpeg runs in cannot be made");
        }
        Self {
            hub,
            planner,
            known,
            launch: Arc::new(Launch {
                isolation: isolation::find(&options.ffmpeg).await,
                ffmpeg: options.ffmpeg,
                memory_max: options.memory_max,
                folder: options.folder,
            }),
            encoders: Arc::new(encoders),
            opus,
            cores: std::thread::available_parallelism().map_or(1, usize::from),
            jobs: JoinSet::new(),
            taken: HashSet::new(),
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
                    Ok(id) => drop(self.taken.remove(&id)),
                    Err(error) => warn!(%error, "the encoding of a broadcast broke off"),
                },
            }
        }
    }

    /// Tries every encoder, once and beside the work, so that whoever runs the server can be told.
    fn try_all(&self) {
        let (tried, ffmpeg) = (Arc::clone(&self.known.encoders), self.launch.ffmpeg.clone());
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
        if broadcast.settings().ladder == Ladder::Off || !self.taken.insert(id.clone()) {
            return;
        }
        if self.taken.len() == 1 {
            self.try_all();
        }
        let (events, receiver) = mpsc::channel(EVENTS_MAX);
        let works = Works {
            budget: Arc::clone(&self.known.budget),
            usage: Arc::clone(&self.known.usage),
            launch: Arc::clone(&self.launch),
            family: self.known.family,
            encoders: Arc::clone(&self.encoders),
            opus: self.opus,
            presets: Arc::clone(&self.known.presets),
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
