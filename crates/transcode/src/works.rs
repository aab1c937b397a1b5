//! What all jobs of a server share.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use media::{Parameters, TrackId};
use tokio::sync::mpsc;

use crate::admission::Budget;
use crate::child::{Child, ChildEvent, Generation, Launch};
use crate::encoder::{Family, Found};
use crate::ladder::Preset;
use crate::running::Running;
use crate::usage::Usage;

/// How one job's children are started, and what they may take.
#[derive(Debug)]
pub struct Works {
    /// Shared by the whole server.
    pub budget: Arc<Budget>,
    /// How children are run.
    pub launch: Arc<Launch>,
    /// What encodes.
    pub family: Family,
    /// What children take.
    pub usage: Arc<Usage>,
    /// Which encoders work here.
    pub encoders: Arc<Found>,
    /// Whether sound is made Opus too.
    pub opus: bool,
    /// The operator's own presets.
    pub presets: Arc<[Preset]>,
    /// Processors of this machine.
    pub cores: usize,
    /// Where this job's children tell what they do.
    pub events: mpsc::Sender<(Generation, ChildEvent)>,
    /// Children that this job had.
    pub generations: AtomicU64,
}

impl Works {
    /// Starts a child that makes these tracks of a source.
    pub fn start(&self, arguments: &[String], source: &Parameters, tracks: &[TrackId]) -> io::Result<Running> {
        let generation = self.generations.fetch_add(1, Ordering::Relaxed);
        let child = Child::start(&self.launch, arguments, tracks.len(), generation, &self.events)?;
        Ok(Running::new(generation, child, source, tracks))
    }
}
