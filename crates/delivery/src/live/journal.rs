//! What must survive a crash of each broadcast: kept on disk before it is used.
//!
//! One small JSON file for each stream name, under a name made of the stream's: its characters can all stand in a file
//! name. Sequence numbers are reserved in blocks, so that writing is rare; after a crash numbering goes on at the end of
//! the block and never back.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use hub::{Broadcast, BroadcastId, Name};
use packager::{Learned, Numbering, Span, Targets};
use serde::{Deserialize, Serialize};

/// Numbers that are reserved at once: some half an hour of segments, and as much of parts.
const SEGMENTS_RESERVED: u64 = 1_000;
const PARTS_RESERVED: u64 = 10_000;
const DISCONTINUITIES_RESERVED: u64 = 100;

/// The few file operations of the journal, so that a test can fail the n-th.
pub trait Files: Send + Sync + 'static {
    /// Replaces a file's content, whole or not at all, and returns when it is on the disk.
    ///
    /// # Errors
    /// Whatever the system says.
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()>;

    /// Reads a whole file.
    ///
    /// # Errors
    /// Whatever the system says.
    fn read(&self, path: &Path) -> io::Result<Vec<u8>>;

    /// The files in a folder, which is made if it is not there.
    ///
    /// # Errors
    /// Whatever the system says.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;
}

/// The disk itself.
#[derive(Clone, Copy, Debug)]
pub struct Disk;

impl Files for Disk {
    fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
        let fresh = path.with_extension("new");
        let mut file = std::fs::File::create(&fresh)?;
        io::Write::write_all(&mut file, content)?;
        file.sync_all()?;
        std::fs::rename(&fresh, path)?;
        // The rename itself is durable only when the folder is.
        path.parent().map_or(Ok(()), |dir| std::fs::File::open(dir)?.sync_all())
    }

    fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        std::fs::read(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        std::fs::create_dir_all(dir)?;
        std::fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect()
    }
}

/// The target durations of a broadcast, which may never change: parts as ticks and their timescale.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promised {
    target_duration: u32,
    video_part: Option<(u64, u32)>,
    audio_part: Option<(u64, u32)>,
}

impl From<Targets> for Promised {
    fn from(targets: Targets) -> Self {
        let part = |span: Option<Span>| span.map(|span| (span.ticks, span.timescale));
        Self {
            target_duration: targets.target_duration,
            video_part: part(targets.video_part),
            audio_part: part(targets.audio_part),
        }
    }
}

impl From<Promised> for Targets {
    fn from(promised: Promised) -> Self {
        let part = |kept: Option<(u64, u32)>| kept.map(|(ticks, timescale)| Span { ticks, timescale: timescale.max(1) });
        Self {
            target_duration: promised.target_duration,
            video_part: part(promised.video_part),
            audio_part: part(promised.audio_part),
        }
    }
}

/// What is kept of one stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// The stream's public name.
    pub name: String,
    /// The broadcast's id; of the last one when it is over.
    pub id: String,
    /// Microseconds since 1970 of media time 0.
    pub started_micros: i64,
    /// Seconds since 1970 when this was written last: the broadcast was live then.
    pub written: u64,
    /// No source will continue it.
    pub ended: bool,
    /// The target durations that its playlists promise.
    pub targets: Option<Promised>,
    /// Numbers below these may have been used.
    pub reserved: [u64; 3],
    /// What the encoder showed: longest key-frame interval, and what it said itself, in milliseconds.
    pub learned: Option<(u32, Option<u32>)>,
}

impl Record {
    /// The record of a broadcast that begins.
    pub fn begin(broadcast: &Broadcast) -> Self {
        let started = broadcast.started().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self {
            name: broadcast.name().to_string(),
            id: broadcast.id().to_string(),
            started_micros: i64::try_from(started.as_micros()).unwrap_or(0),
            written: 0,
            ended: false,
            targets: None,
            reserved: [0; 3],
            learned: None,
        }
    }

    /// Where numbering goes on after this was read from the disk.
    pub fn numbering(&self) -> Numbering {
        let [segment, part, discontinuity] = self.reserved;
        Numbering { segment, part, discontinuity }
    }

    /// What the next broadcast may learn from it.
    pub fn learned(&self) -> Option<Learned> {
        self.learned.map(|(key_interval_ms, stated_ms)| Learned { key_interval_ms, stated_ms })
    }

    /// Takes what was learned; `true` if that is news.
    pub fn learn(&mut self, learned: Option<Learned>) -> bool {
        let learned = learned.map(|learned| (learned.key_interval_ms, learned.stated_ms));
        let news = learned.is_some() && learned != self.learned;
        if news {
            self.learned = learned;
        }
        news
    }

    /// Reserves numbers ahead of `next` where they run out; `true` if it must be written before they are used.
    pub fn reserve(&mut self, next: Numbering) -> bool {
        let wanted = [
            (next.segment, SEGMENTS_RESERVED),
            (next.part, PARTS_RESERVED),
            (next.discontinuity, DISCONTINUITIES_RESERVED),
        ];
        let mut more = false;
        for (reserved, (next, block)) in self.reserved.iter_mut().zip(wanted) {
            // Half a block early, so that nobody waits for the disk.
            if *reserved < next + block / 2 {
                *reserved = next + block;
                more = true;
            }
        }
        more
    }
}

/// The folder of records.
#[derive(Clone)]
pub struct Journal {
    dir: PathBuf,
    files: Arc<dyn Files>,
}

impl std::fmt::Debug for Journal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Journal").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Journal {
    /// Opens the journal in a data folder.
    ///
    /// # Errors
    /// If the folder cannot be made or read.
    pub fn open(data: &Path, files: Arc<dyn Files>) -> io::Result<Self> {
        let dir = data.join("live");
        files.list(&dir)?;
        Ok(Self { dir, files })
    }

    /// What is kept of a stream; a record that cannot be read counts as none.
    pub fn read(&self, name: &Name) -> Option<Record> {
        serde_json::from_slice(&self.files.read(&self.path(name)).ok()?).ok()
    }

    /// Keeps a record; returns when it is on the disk. Blocks.
    ///
    /// # Errors
    /// Whatever the system says; what was kept before is then still there.
    pub fn write(&self, name: &Name, record: &mut Record) -> io::Result<()> {
        record.written = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let content = serde_json::to_vec_pretty(record).map_err(io::Error::other)?;
        self.files.replace(&self.path(name), &content)
    }

    /// The broadcasts that were live when the server stopped.
    ///
    /// # Errors
    /// If the folder cannot be read.
    pub fn unfinished(&self) -> io::Result<Vec<(Name, BroadcastId, Record)>> {
        let records = self.files.list(&self.dir)?.into_iter().filter(|path| path.extension().is_some_and(|e| e == "json"));
        let read = |path: PathBuf| {
            let record: Record = serde_json::from_slice(&self.files.read(&path).ok()?).ok()?;
            let known = (Name::parse(&record.name).ok()?, BroadcastId::parse(&record.id)?);
            (!record.ended).then_some((known.0, known.1, record))
        };
        Ok(records.filter_map(read).collect())
    }

    fn path(&self, name: &Name) -> PathBuf {
        // A name is no path: its letters, digits, '-', '_' and '.' cannot lead out of the folder, and it never begins with a dot.
        self.dir.join(format!("{name}.json"))
    }
}

/// The wall-clock time of a record's media time 0.
pub fn started(record: &Record) -> SystemTime {
    UNIX_EPOCH + Duration::from_micros(u64::try_from(record.started_micros).unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A disk whose n-th write fails.
    struct Failing(AtomicUsize);

    impl Files for Failing {
        fn replace(&self, path: &Path, content: &[u8]) -> io::Result<()> {
            if self.0.fetch_sub(1, Ordering::Relaxed) == 1 {
                return Err(io::Error::from(io::ErrorKind::StorageFull));
            }
            Disk.replace(path, content)
        }

        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            Disk.read(path)
        }

        fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
            Disk.list(dir)
        }
    }

    fn record() -> Record {
        Record {
            name: "colors".into(),
            id: BroadcastId::random().to_string(),
            started_micros: 1_800_000_000_000_000,
            written: 0,
            ended: false,
            targets: None,
            reserved: [0; 3],
            learned: None,
        }
    }

    fn colors() -> Name {
        Name::parse("colors").unwrap()
    }

    #[test]
    fn numbers_are_on_the_disk_before_they_are_used() {
        for failing in 1..20 {
            let dir = tempfile::tempdir().unwrap();
            let journal = Journal::open(dir.path(), Arc::new(Failing(failing.into()))).unwrap();
            let mut record = record();
            let mut used = 0;
            for segment in (0..10_000).step_by(100) {
                let next = Numbering { segment, ..Numbering::default() };
                if record.reserve(next) && journal.write(&colors(), &mut record).is_err() {
                    break;
                }
                used = segment;
            }
            let kept = journal.read(&colors()).map_or(0, |kept| kept.numbering().segment);
            assert!(kept > used || used == 0, "number {used} was used and {kept} was kept");
        }
    }

    #[test]
    fn what_was_live_is_found_again_and_what_was_over_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let journal = Journal::open(dir.path(), Arc::new(Disk)).unwrap();
        let mut live = record();
        journal.write(&colors(), &mut live).unwrap();
        let over = Name::parse("over").unwrap();
        journal.write(&over, &mut Record { name: "over".into(), ended: true, ..record() }).unwrap();
        std::fs::write(dir.path().join("live/broken.json"), "{").unwrap();
        let found = journal.unfinished().unwrap();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].2, live);
        assert!(journal.read(&over).is_some_and(|record| record.ended));
    }
}
