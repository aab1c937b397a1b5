//! What must survive a restart of the server, one small file per stream name.
//!
//! A file is replaced at once or not at all: the new text is written beside it, brought to the medium, and then renamed over
//! it. So after any crash the file says either what it said before or what it was to say.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use hub::{Broadcast, BroadcastId, Name, Restored, Takeover};
use media::Kind;
use packager::{Learned, Numbering, Span, Targets};
use serde::{Deserialize, Serialize};
use tracing::warn;

use super::disk::Disk;
use super::ledger::Ledger;
use super::saved_ladder::SavedLadder;

/// One stream's file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) name: String,
    /// The id of its newest broadcast.
    pub(super) id: String,
    pub(super) started_micros: i64,
    pub(super) ended: bool,
    /// All numbers below these may have been used.
    pub(super) reserved: Numbers,
    pub(super) targets: Option<SavedTargets>,
    pub(super) learned: Option<SavedLearned>,
    settings: SavedSettings,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Numbers {
    segment: u64,
    part: u64,
    discontinuity: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedTargets {
    target_duration: u32,
    video_part: Option<(u64, u32)>,
    audio_part: Option<(u64, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct SavedLearned {
    pub(super) key_interval_ms: u32,
    stated_ms: Option<u32>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct SavedSettings {
    window_ms: u64,
    part_ms: u64,
    segment_ms: u64,
    reconnect_ms: u64,
    refuse_takeover: bool,
    #[serde(default)]
    ladder: SavedLadder,
}

impl Entry {
    /// That of a broadcast which begins.
    pub(super) fn new(broadcast: &Broadcast, learned: Option<SavedLearned>) -> Self {
        let millis = |duration: Duration| u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let started = broadcast.started().duration_since(UNIX_EPOCH).unwrap_or_default();
        let settings = broadcast.settings();
        Self {
            name: broadcast.name().to_string(),
            id: broadcast.id().to_string(),
            started_micros: i64::try_from(started.as_micros()).unwrap_or(i64::MAX),
            ended: false,
            reserved: Numbers::default(),
            targets: None,
            learned,
            settings: SavedSettings {
                window_ms: millis(settings.window),
                part_ms: millis(settings.part),
                segment_ms: millis(settings.segment),
                reconnect_ms: millis(settings.reconnect),
                refuse_takeover: settings.takeover == Takeover::Refuse,
                ladder: SavedLadder::of(&settings.ladder),
            },
        }
    }

    fn restored(&self) -> Option<Restored> {
        let saved = &self.settings;
        let reconnect = Duration::from_millis(saved.reconnect_ms);
        Some(Restored {
            id: BroadcastId::parse(&self.id)?,
            name: Name::parse(&self.name).ok()?,
            started: UNIX_EPOCH + Duration::from_micros(u64::try_from(self.started_micros).ok()?),
            settings: hub::Settings {
                window: Duration::from_millis(saved.window_ms),
                part: Duration::from_millis(saved.part_ms),
                segment: Duration::from_millis(saved.segment_ms),
                reconnect,
                takeover: if saved.refuse_takeover {
                    Takeover::Refuse
                } else {
                    Takeover::Replace
                },
                ladder: saved.ladder.restored(),
            },
            wait: reconnect,
        })
    }
}

impl From<Numbering> for Numbers {
    fn from(numbering: Numbering) -> Self {
        Self {
            segment: numbering.segment,
            part: numbering.part,
            discontinuity: numbering.discontinuity,
        }
    }
}

impl From<Numbers> for Numbering {
    fn from(numbers: Numbers) -> Self {
        Self {
            segment: numbers.segment,
            part: numbers.part,
            discontinuity: numbers.discontinuity,
        }
    }
}

impl From<Targets> for SavedTargets {
    fn from(targets: Targets) -> Self {
        let part = |kind| targets.part(kind).map(|span| (span.ticks, span.timescale));
        Self {
            target_duration: targets.target_duration,
            video_part: part(Kind::Video),
            audio_part: part(Kind::Audio),
        }
    }
}

impl From<SavedTargets> for Targets {
    fn from(saved: SavedTargets) -> Self {
        let span = |(ticks, timescale)| Span { ticks, timescale };
        Self {
            target_duration: saved.target_duration,
            video_part: saved.video_part.map(span),
            audio_part: saved.audio_part.map(span),
        }
    }
}

impl From<Learned> for SavedLearned {
    fn from(learned: Learned) -> Self {
        Self {
            key_interval_ms: learned.key_interval_ms,
            stated_ms: learned.stated_ms,
        }
    }
}

impl From<SavedLearned> for Learned {
    fn from(saved: SavedLearned) -> Self {
        Self {
            key_interval_ms: saved.key_interval_ms,
            stated_ms: saved.stated_ms,
        }
    }
}

/// The folder of all files.
#[derive(Clone)]
pub(super) struct Journals {
    folder: PathBuf,
    disk: Arc<dyn Disk>,
}

impl Journals {
    /// Opens the folder, and makes it if it is not there.
    pub(super) fn open(folder: PathBuf, disk: Arc<dyn Disk>) -> io::Result<Self> {
        disk.make_folder(&folder)?;
        let journals = Self { folder, disk };
        let probe = journals.folder.join("writable.tmp");
        journals.disk.write(&probe, b"")?;
        Ok(journals)
    }

    /// The broadcasts that were live when the server stopped.
    pub(super) fn unfinished(&self) -> Vec<Restored> {
        let files = self.disk.list(&self.folder).unwrap_or_else(|error| {
            warn!(%error, "cannot see which broadcasts were live");
            Vec::new()
        });
        let saved = files
            .iter()
            .filter(|path| path.extension().is_some_and(|extension| extension == "json"));
        let entries = saved.filter_map(|path| self.parse(&self.disk.read(path).ok()?));
        entries
            .filter(|entry| !entry.ended)
            .filter_map(|entry| entry.restored())
            .collect()
    }

    /// The ledger of a broadcast that begins or goes on: its first numbers are reserved.
    pub(super) async fn begin(&self, broadcast: &Broadcast) -> Ledger {
        let (journals, name) = (self.clone(), broadcast.name().to_string());
        let before = tokio::task::spawn_blocking(move || journals.read(&name))
            .await
            .ok()
            .flatten();
        let entry = match before {
            Some(entry) if entry.id == broadcast.id().as_str() => entry,
            other => Entry::new(broadcast, other.and_then(|other| other.learned)),
        };
        Ledger::begin(self.clone(), entry).await
    }

    /// What is on disk of a stream.
    pub(super) fn read(&self, name: &str) -> Option<Entry> {
        let bytes = match self.disk.read(&self.path(name)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                warn!(%name, %error, "cannot read what is known of the stream");
                return None;
            }
        };
        self.parse(&bytes).filter(|entry| entry.name == name)
    }

    /// Puts a stream's file in place of the one before.
    pub(super) fn write(&self, entry: &Entry) -> io::Result<()> {
        let bytes = serde_json::to_vec_pretty(entry)?;
        let path = self.path(&entry.name);
        let new = path.with_extension("new");
        self.disk.write(&new, &bytes)?;
        self.disk.rename(&new, &path)?;
        self.disk.sync_folder(&self.folder)
    }

    fn parse(&self, bytes: &[u8]) -> Option<Entry> {
        serde_json::from_slice(bytes)
            .inspect_err(|error| warn!(folder = %self.folder.display(), %error, "a file is damaged and ignored"))
            .ok()
    }

    /// Names are letters, digits, `-`, `_` and `.`, and never begin with a dot. Dots would make other extensions, and case
    /// is lost on some file systems, so both are written as hexadecimal digits.
    fn path(&self, name: &str) -> PathBuf {
        let mut file = String::with_capacity(name.len() + 5);
        for character in name.chars() {
            match character {
                'a'..='z' | '0'..='9' | '-' => file.push(character),
                other => file.push_str(&format!("_{:02x}", u32::from(other))),
            }
        }
        self.folder.join(file + ".json")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::path::Path;
    use std::sync::Mutex;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A disk in memory whose `fail_at`th operation fails, half done.
    #[derive(Default)]
    struct Flaky {
        files: Mutex<HashMap<PathBuf, Vec<u8>>>,
        operations: AtomicUsize,
        fail_at: usize,
    }

    impl Flaky {
        fn count(&self) -> io::Result<()> {
            let operation = self.operations.fetch_add(1, Ordering::Relaxed) + 1;
            if operation == self.fail_at {
                Err(io::Error::other("no space"))
            } else {
                Ok(())
            }
        }
    }

    impl Disk for Flaky {
        fn make_folder(&self, _: &Path) -> io::Result<()> {
            Ok(())
        }

        fn list(&self, _: &Path) -> io::Result<Vec<PathBuf>> {
            Ok(self.files.lock().unwrap().keys().cloned().collect())
        }

        fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
            let files = self.files.lock().unwrap();
            files.get(path).cloned().ok_or(io::ErrorKind::NotFound.into())
        }

        fn write(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
            let failed = self.count();
            let written = if failed.is_ok() {
                bytes
            } else {
                &bytes[..bytes.len() / 2]
            };
            self.files.lock().unwrap().insert(path.to_owned(), written.to_vec());
            failed
        }

        fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
            self.count()?;
            let mut files = self.files.lock().unwrap();
            let bytes = files.remove(from).ok_or(io::ErrorKind::NotFound)?;
            files.insert(to.to_owned(), bytes);
            Ok(())
        }

        fn sync_folder(&self, _: &Path) -> io::Result<()> {
            self.count()
        }
    }

    fn entry(segment: u64) -> Entry {
        Entry {
            name: "colors".into(),
            id: BroadcastId::random().to_string(),
            started_micros: 1_795_165_644_153_000,
            ended: false,
            reserved: Numbers {
                segment,
                ..Numbers::default()
            },
            targets: Some(SavedTargets {
                target_duration: 2,
                video_part: Some((30_000, 90_000)),
                audio_part: None,
            }),
            learned: None,
            settings: SavedSettings {
                window_ms: 60_000,
                part_ms: 333,
                segment_ms: 2_000,
                reconnect_ms: 60_000,
                refuse_takeover: false,
                ladder: SavedLadder::default(),
            },
        }
    }

    #[test]
    fn whichever_operation_fails_the_file_says_the_old_or_the_new() {
        for fail_at in 1..=8 {
            let disk = Arc::new(Flaky {
                fail_at,
                ..Flaky::default()
            });
            let journals = Journals {
                folder: "data".into(),
                disk,
            };
            let (old, new) = (entry(1_000), entry(2_000));
            let mut last = None;
            for entry in [&old, &new] {
                let done = journals.write(entry);
                let found = journals.read("colors");
                match done {
                    Ok(()) => assert_eq!(found.as_ref(), Some(entry)),
                    Err(_) => assert!(found.as_ref() == last || found.as_ref() == Some(entry)),
                }
                last = Some(entry).filter(|entry| found.as_ref() == Some(*entry)).or(last);
            }
        }
    }

    #[test]
    fn unfinished_broadcasts_are_restored_and_others_are_not() {
        let folder = tempfile::tempdir().expect("a folder");
        let journals =
            Journals::open(folder.path().join("live"), Arc::new(super::super::disk::SystemDisk)).expect("open");
        let (live, mut over) = (entry(1_000), entry(1_000));
        over.name = "over".into();
        over.ended = true;
        journals.write(&live).expect("written");
        journals.write(&over).expect("written");
        std::fs::write(folder.path().join("live/damaged.json"), b"{").expect("written");
        let found = journals.unfinished();
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].name.as_str(), found[0].id.to_string()), ("colors", live.id));
    }

    #[test]
    fn names_that_differ_in_case_alone_have_files_of_their_own() {
        let journals = Journals {
            folder: "x".into(),
            disk: Arc::new(Flaky::default()),
        };
        assert_ne!(journals.path("Colors"), journals.path("colors"));
        assert_eq!(journals.path("a.json"), Path::new("x/a_2ejson.json"));
    }
}
