//! Carries all rows from one database to a file, from a file to a database, or from one engine to the other.
//!
//! A backup is gzip over lines of JSON: a [`Head`], then for each table its name and its rows, then an end that counts them, so that a
//! file that breaks off is noticed. It is the same on both engines. It is read in one transaction: what was acknowledged before it
//! began is in it, and nothing that came later.

mod catalogue;
mod cell;
mod reader;
mod writer;

use std::io::{BufRead, BufReader, Read, Write};
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use futures_util::TryStreamExt;
use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::secret::{KeyRing, Place, Sealed};
use crate::store::{self, Conn, Db};
use cell::Cell;

/// Version of the file's form.
const FORMAT: u32 = 1;
/// Bytes of one line: an image is the longest.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// What is sealed in the head, to see whether a key ring belongs to a backup.
const PROOF: Place<'static> = Place {
    column: "backup.proof",
    row: "ring",
};

/// Why rows could not be carried.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The file cannot be read or written.
    #[error("the backup file: {0}")]
    File(#[from] std::io::Error),
    /// The file is not a backup, or breaks off.
    #[error("this is not a whole backup: {0}")]
    Damaged(String),
    /// The backup is of a newer program.
    #[error("the backup has version {found}, and this program knows only {known}: restore it with the newer program")]
    Newer {
        /// Of the tables in the backup.
        found: i64,
        /// Of this program.
        known: i64,
    },
    /// There is something in the database already.
    #[error("the database is not empty: it holds {0} accounts")]
    NotEmpty(i64),
    /// The database refused.
    #[error(transparent)]
    Store(store::Error),
}

impl From<store::Error> for Error {
    fn from(error: store::Error) -> Self {
        match error {
            store::Error::GivenUp(reason) => Self::Damaged(reason),
            other => Self::Store(other),
        }
    }
}

/// Inside a transaction whatever is wrong with the file gives the whole of it up.
impl From<Error> for store::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => error,
            Error::Damaged(reason) => Self::GivenUp(reason),
            other => Self::GivenUp(other.to_string()),
        }
    }
}

/// How a backup begins.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Head {
    /// Version of the form.
    pub headwater_backup: u32,
    /// Version of the tables.
    pub schema: i64,
    /// When it was begun.
    pub created_at: String,
    /// The engine it was made from.
    pub engine: String,
    /// The key ring's file, where it was asked for.
    pub key_ring: Option<String>,
    /// Something that only the right key ring opens, base64.
    pub proof: String,
}

impl Head {
    /// Whether this ring opens what the backup holds.
    pub fn fits(&self, ring: &KeyRing) -> bool {
        let bytes = STANDARD.decode(&self.proof).unwrap_or_default();
        ring.open_bytes(PROOF, &Sealed::from(bytes)).is_ok()
    }
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Line {
    Table { table: String, columns: Vec<String> },
    Row(Vec<Cell>),
    End { rows: u64 },
}

/// Called now and then with the table and the rows so far.
pub type Progress = Arc<dyn Fn(&str, u64) + Send + Sync>;

/// How often progress is told.
const TELL_EVERY_ROWS: u64 = 1_000;

/// Writes everything to `out`; returns the number of rows. `key_ring` is the text of the ring's file, where it shall be in it.
///
/// # Errors
/// Those of the database and of the file.
pub async fn backup<W: Write + Send>(
    db: &Db,
    ring: &KeyRing,
    key_ring: Option<String>,
    out: W,
    now: Time,
    progress: Progress,
) -> Result<u64, Error> {
    let mut out = GzEncoder::new(out, Compression::default());
    let head = Head {
        headwater_backup: FORMAT,
        schema: store::VERSION,
        created_at: now.to_string(),
        engine: db.engine().to_owned(),
        key_ring,
        proof: STANDARD.encode(ring.seal(PROOF, b"ring").as_bytes()),
    };
    line(&mut out, &head)?;
    let mut reader = reader::Reader::begin(db).await?;
    let mut rows: u64 = 0;
    for table in catalogue::TABLES {
        let columns = table.columns.iter().map(|(name, _)| (*name).to_owned()).collect();
        line(
            &mut out,
            &Line::Table {
                table: table.name.to_owned(),
                columns,
            },
        )?;
        let mut stream = reader.rows(table);
        while let Some(row) = stream.try_next().await? {
            rows += 1;
            if rows.is_multiple_of(TELL_EVERY_ROWS) {
                progress(table.name, rows);
            }
            line(&mut out, &Line::Row(row))?;
        }
    }
    line(&mut out, &Line::End { rows })?;
    out.finish()?.flush()?;
    Ok(rows)
}

fn line<W: Write, T: Serialize>(out: &mut W, value: &T) -> Result<(), Error> {
    serde_json::to_writer(&mut *out, value).map_err(std::io::Error::from)?;
    Ok(out.write_all(b"\n")?)
}

/// A backup that is being read.
pub struct Backup<R: Read> {
    lines: BufReader<GzDecoder<R>>,
    /// How it begins.
    pub head: Head,
}

impl<R: Read> std::fmt::Debug for Backup<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Backup of {}", self.head.created_at)
    }
}

impl<R: Read + Send + 'static> Backup<R> {
    /// Reads how it begins.
    ///
    /// # Errors
    /// If it is no backup, or of a newer program.
    pub fn open(file: R) -> Result<Self, Error> {
        let mut lines = BufReader::new(GzDecoder::new(file));
        let head: Head = next(&mut lines)?.ok_or(Error::Damaged("it is empty".into()))?;
        if head.headwater_backup != FORMAT || head.schema > store::VERSION {
            return Err(Error::Newer {
                found: head.schema,
                known: store::VERSION,
            });
        }
        Ok(Self { lines, head })
    }

    /// Puts every row into `db`, all or none. `replace` removes what is there first; else the database must be empty.
    ///
    /// # Errors
    /// If the file is damaged, the database is not empty, or refuses.
    pub async fn restore(self, db: &Db, replace: bool, progress: Progress) -> Result<u64, Error> {
        make_room(db, replace).await?;
        let done = db.write(move |c| {
            Box::pin(async move {
                if replace {
                    writer::empty(c).await?;
                }
                self.put_all(c, &progress).await.map_err(store::Error::from)
            })
        });
        done.await.map_err(Error::from)
    }

    async fn put_all(mut self, conn: &mut Conn<'_>, progress: &Progress) -> Result<u64, Error> {
        let mut table: Option<&catalogue::Table> = None;
        let mut rows = 0;
        loop {
            match next(&mut self.lines)?.ok_or(Error::Damaged("it breaks off".into()))? {
                Line::Table { table: name, columns } => table = Some(known(&name, &columns)?),
                Line::Row(row) => {
                    let table = table.ok_or(Error::Damaged("a row without a table".into()))?;
                    writer::put(conn, table, row).await?;
                    rows += 1;
                    if rows % TELL_EVERY_ROWS == 0 {
                        progress(table.name, rows);
                    }
                }
                Line::End { rows: told } if told == rows => return Ok(rows),
                Line::End { .. } => return Err(Error::Damaged("rows are missing".into())),
            }
        }
    }
}

/// Unless it may be replaced, the database must not hold anybody.
async fn make_room(db: &Db, replace: bool) -> Result<(), Error> {
    let people = db
        .read(|c| Box::pin(async move { crate::one!(c, (i64,), "select count(*) from users") }))
        .await?;
    if people.0 > 0 && !replace {
        return Err(Error::NotEmpty(people.0));
    }
    Ok(())
}

fn known(name: &str, columns: &[String]) -> Result<&'static catalogue::Table, Error> {
    let table = catalogue::TABLES.iter().find(|table| table.name == name);
    let fits = |table: &&catalogue::Table| {
        table
            .columns
            .iter()
            .map(|(name, _)| *name)
            .eq(columns.iter().map(String::as_str))
    };
    table
        .filter(fits)
        .ok_or_else(|| Error::Damaged(format!("the table {name} is not as this program knows it")))
}

fn next<R: BufRead, T: for<'de> Deserialize<'de>>(lines: &mut R) -> Result<Option<T>, Error> {
    let mut line = Vec::new();
    lines.take(LINE_BYTES_MAX).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(None);
    }
    let parsed = serde_json::from_slice(&line);
    parsed.map(Some).map_err(|fault| Error::Damaged(fault.to_string()))
}

/// Copies every row from one database to another that is empty; returns how many.
///
/// # Errors
/// If the target is not empty, or one of them refuses.
pub async fn copy(from: &Db, to: &Db, progress: Progress) -> Result<u64, Error> {
    make_room(to, false).await?;
    let mut reader = reader::Reader::begin(from).await?;
    let done = to.write(move |c| {
        Box::pin(async move {
            let mut rows = 0;
            for table in catalogue::TABLES {
                let mut stream = reader.rows(table);
                while let Some(row) = stream.try_next().await? {
                    writer::put(c, table, row).await?;
                    rows += 1;
                    if rows % TELL_EVERY_ROWS == 0 {
                        progress(table.name, rows);
                    }
                }
            }
            Ok(rows)
        })
    });
    Ok(done.await?)
}

#[cfg(test)]
mod tests;
