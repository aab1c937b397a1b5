//! One ffmpeg process: frames go in, frames come out of each of its outputs, and it is gone when it is dropped.

use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use command_fds::{CommandFdExt, FdMapping};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::unix::pipe;
use tokio::process::{ChildStderr, ChildStdin, Command};
use tokio::sync::{mpsc, oneshot};
use tracing::debug;

use crate::arguments::FIRST_OUTPUT;
use crate::{nut, priority};

/// Frames that wait to go into a child.
const QUEUE_FRAMES_MAX: usize = 512;
/// Bytes that wait to go into a child.
const QUEUE_BYTES_MAX: usize = 16 << 20;
/// Bytes of a line of its log.
const LINE_BYTES_MAX: u64 = 1_024;
/// Bytes of one read of an output.
const READ_MAX: usize = 64 << 10;
/// Files that a child may have open.
const OPEN_FILES_MAX: u64 = 64;
/// A child yields to everything else.
const NICE: i32 = 10;
/// Where memory is short, the kernel takes a child before the server.
const OOM_SCORE: &str = "800";

/// How children are run.
#[derive(Clone, Debug)]
pub struct Launch {
    /// The program.
    pub ffmpeg: PathBuf,
    /// Puts it where there is no network, where the kernel lets anybody do so: `unshare` and its arguments.
    pub isolation: Vec<String>,
    /// Bytes of memory that it may write to.
    pub memory_max: u64,
    /// Its empty working folder.
    pub folder: PathBuf,
}

/// Which child of a broadcast something is of.
pub type Generation = u64;

/// What a child does.
#[derive(Debug)]
pub enum ChildEvent {
    /// One of its outputs says something.
    Output(usize, nut::Event),
    /// One of its outputs cannot be read; nothing comes of it any more.
    Garbled(String),
    /// It is over; the text is the last line of its log, or how it ended.
    Exited(String),
}

/// A running child. Dropping it kills it.
#[derive(Debug)]
pub struct Child {
    input: Option<mpsc::Sender<Bytes>>,
    queued: Arc<AtomicUsize>,
    process: Option<u32>,
    /// Dropped, the process is killed.
    _kill: oneshot::Sender<()>,
}

/// A child's input is full: it does not keep up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

impl Child {
    /// Starts a child with so many outputs; what it does goes to `events`.
    ///
    /// # Errors
    /// If the program cannot be run.
    pub fn start(
        launch: &Launch,
        arguments: &[String],
        outputs: usize,
        generation: Generation,
        events: &mpsc::Sender<(Generation, ChildEvent)>,
    ) -> io::Result<Self> {
        let mut command = command(launch, arguments);
        let readers = connect(&mut command, outputs)?;
        let mut process = command.spawn()?;
        // The command holds the write ends: an output ends when the child alone has let go of it.
        drop(command);
        let id = process.id();
        if let Some(id) = id {
            restrict(id, launch.memory_max);
        }
        let (input, queue) = mpsc::channel(QUEUE_FRAMES_MAX);
        let queued = Arc::new(AtomicUsize::new(0));
        if let Some(stdin) = process.stdin.take() {
            tokio::spawn(write(stdin, queue, Arc::clone(&queued)));
        }
        let reading: Vec<_> = readers
            .into_iter()
            .enumerate()
            .map(|(output, pipe)| tokio::spawn(read(pipe, output, generation, events.clone())))
            .collect();
        let log = process.stderr.take().map(|stderr| tokio::spawn(log(stderr)));
        let (kill, killed) = oneshot::channel();
        let events = events.clone();
        tokio::spawn(async move {
            let status = ended(&mut process, killed).await;
            for output in reading {
                // It cannot be cancelled, and a panic in it is an output that ended.
                let _ = output.await;
            }
            let last = match log {
                Some(log) => log.await.unwrap_or_default(),
                None => String::new(),
            };
            let _ = events
                .send((generation, ChildEvent::Exited(epitaph(status, last))))
                .await;
        });
        Ok(Self {
            input: Some(input),
            queued,
            process: id,
            _kill: kill,
        })
    }

    /// The process's number.
    pub fn process(&self) -> Option<u32> {
        self.process
    }

    /// Hands it bytes, without waiting.
    ///
    /// # Errors
    /// If its queue is full; the bytes are lost. One that is gone takes everything.
    pub fn send(&self, bytes: Bytes) -> Result<(), Full> {
        let Some(input) = &self.input else { return Ok(()) };
        let len = bytes.len();
        if self.queued.load(Ordering::Relaxed) + len > QUEUE_BYTES_MAX {
            return Err(Full);
        }
        match input.try_send(bytes) {
            Ok(()) => {
                self.queued.fetch_add(len, Ordering::Relaxed);
                Ok(())
            }
            Err(mpsc::error::TrySendError::Full(_)) => Err(Full),
            // Its end is told by an event.
            Err(mpsc::error::TrySendError::Closed(_)) => Ok(()),
        }
    }

    /// Tells it that nothing more comes: it gives out what it still has, and ends.
    pub fn finish(&mut self) {
        self.input = None;
    }
}

fn command(launch: &Launch, arguments: &[String]) -> Command {
    let mut command = match launch.isolation.split_first() {
        Some((program, rest)) => {
            let mut command = Command::new(program);
            command.args(rest).arg(&launch.ffmpeg);
            command
        }
        None => Command::new(&launch.ffmpeg),
    };
    command
        .args(arguments)
        .env_clear()
        // Each arena is address space that counts as memory.
        .env("MALLOC_ARENA_MAX", "2")
        .current_dir(&launch.folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

/// Gives the command a pipe for each output.
fn connect(command: &mut Command, outputs: usize) -> io::Result<Vec<pipe::Receiver>> {
    let mut readers = Vec::new();
    let mut mappings = Vec::new();
    for (child_fd, _) in (FIRST_OUTPUT..).zip(0..outputs) {
        let (reader, writer) = io::pipe()?;
        readers.push(pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?);
        mappings.push(FdMapping {
            parent_fd: writer.into(),
            child_fd,
        });
    }
    command.fd_mappings(mappings).map_err(io::Error::other)?;
    Ok(readers)
}

/// Binds the child to what it needs. What the kernel refuses is told in the log and does not stop the stream.
fn restrict(pid: u32, memory_max: u64) {
    let Some(id) = i32::try_from(pid).ok().and_then(Pid::from_raw) else {
        return;
    };
    let limits = [
        (Resource::Data, memory_max),
        (Resource::Fsize, 0),
        (Resource::Nofile, OPEN_FILES_MAX),
        (Resource::Core, 0),
    ];
    for (resource, limit) in limits {
        let limit = Rlimit {
            current: Some(limit),
            maximum: Some(limit),
        };
        if let Err(error) = prlimit(Some(id), resource, limit) {
            debug!(%error, ?resource, "a limit of ffmpeg could not be set");
        }
    }
    priority::lower(pid, NICE);
    if let Err(error) = std::fs::write(
        Path::new("/proc").join(pid.to_string()).join("oom_score_adj"),
        OOM_SCORE,
    ) {
        debug!(%error, "ffmpeg could not be put before the server where memory is short");
    }
}

async fn ended(process: &mut tokio::process::Child, killed: oneshot::Receiver<()>) -> io::Result<ExitStatus> {
    tokio::select! {
        status = process.wait() => return status,
        // Sent never, dropped with its owner.
        _ = killed => {}
    }
    process.start_kill()?;
    process.wait().await
}

async fn write(mut stdin: ChildStdin, mut queue: mpsc::Receiver<Bytes>, queued: Arc<AtomicUsize>) {
    while let Some(bytes) = queue.recv().await {
        let written = stdin.write_all(&bytes).await;
        queued.fetch_sub(bytes.len(), Ordering::Relaxed);
        if written.is_err() {
            return;
        }
    }
}

async fn read(
    mut pipe: pipe::Receiver,
    output: usize,
    generation: Generation,
    events: mpsc::Sender<(Generation, ChildEvent)>,
) {
    let mut reader = nut::Reader::new(nut::Limits::default());
    loop {
        reader.buffer().reserve(READ_MAX);
        if pipe.read_buf(reader.buffer()).await.unwrap_or(0) == 0 {
            return;
        }
        loop {
            let event = match reader.poll_event() {
                Ok(Some(event)) => ChildEvent::Output(output, event),
                Ok(None) => break,
                Err(error) => ChildEvent::Garbled(error.to_string()),
            };
            let over = matches!(event, ChildEvent::Garbled(_));
            if events.send((generation, event)).await.is_err() || over {
                return;
            }
        }
    }
}

/// Reads the log to its end; returns its last line.
async fn log(stderr: ChildStderr) -> String {
    let mut lines = BufReader::new(stderr);
    let mut last = String::new();
    loop {
        let mut line = Vec::new();
        let read = (&mut lines).take(LINE_BYTES_MAX).read_until(b'\n', &mut line).await;
        if read.unwrap_or(0) == 0 {
            return last;
        }
        let line = String::from_utf8_lossy(&line).trim().to_owned();
        debug!(%line, "ffmpeg");
        if !line.is_empty() {
            last = line;
        }
    }
}

fn epitaph(status: io::Result<ExitStatus>, last: String) -> String {
    match status {
        _ if !last.is_empty() => last,
        Ok(status) => format!("ffmpeg ended: {status}"),
        Err(error) => format!("ffmpeg ended: {error}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_child_that_reads_nothing_is_full_and_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let launch = Launch {
            ffmpeg: "/bin/sleep".into(),
            isolation: Vec::new(),
            memory_max: 1 << 30,
            folder: folder.path().to_owned(),
        };
        let (events, mut received) = mpsc::channel(8);
        let child = Child::start(&launch, &["1000".to_owned()], 1, 7, &events).unwrap();
        let frame = Bytes::from(vec![0; 1 << 20]);
        let taken = (0..100).take_while(|_| child.send(frame.clone()).is_ok()).count();
        assert!((16..=20).contains(&taken), "{taken} MiB");
        drop(child);
        let Some((7, ChildEvent::Exited(reason))) = received.recv().await else {
            panic!("it is killed")
        };
        assert!(reason.contains("signal: 9"), "{reason}");
    }
}
