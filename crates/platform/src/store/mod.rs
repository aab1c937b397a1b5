//! The database: SQLite in the data folder, or PostgreSQL, behind one enum and one portable SQL text.
//!
//! A text is lower-case SQL with `$1`, `$2` … that both engines understand; the macros [`one!`](crate::one),
//! [`optional!`](crate::optional), [`all!`](crate::all) and [`run!`](crate::run) send it to whichever is there. Types are those that both
//! share: text, `i64`, `bool`, bytes and [`Json`]. Times are unix microseconds. Every test of a query runs on both engines.

mod conn;
mod error;
mod schema;
mod writer;

#[cfg(any(test, feature = "testing"))]
pub mod testing;
#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::str::FromStr;
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{ConnectOptions, Connection, Executor, PgPool, SqlitePool};

pub use conn::{Conn, Reader};
pub use error::{Error, Result};
pub use schema::VERSION;
pub use sqlx::types::Json;
use writer::Writer;

/// Reading connections of SQLite, each a thread of its own.
const SQLITE_READERS_MAX: u32 = 4;
/// Connections to PostgreSQL.
const POSTGRES_CONNECTIONS_MAX: u32 = 16;
/// A connection that was idle for longer is asked whether it is still there before it is used.
const IDLE_UNTESTED_MAX: Duration = Duration::from_secs(1);
/// How long somebody waits for a connection before hearing that the database is away.
const ACQUIRE_TIME_MAX: Duration = Duration::from_millis(800);

/// Work on a connection.
pub type Work<'c, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'c>>;

/// The database.
#[derive(Clone, Debug)]
pub enum Db {
    /// A file in the data folder.
    Sqlite {
        /// Reads go side by side.
        readers: SqlitePool,
        /// Writes go through one connection, several to a commit.
        writer: Writer,
        /// The file.
        path: PathBuf,
    },
    /// A server.
    Postgres(PgPool),
}

impl Db {
    /// Opens the database at `url`: `sqlite:PATH` or `postgres://…`; brings its tables up to date.
    ///
    /// # Errors
    /// If it cannot be reached, or a newer version of the program has changed its tables.
    pub async fn open(url: &str) -> Result<Self> {
        match url.strip_prefix("sqlite:") {
            Some(path) => Self::sqlite(Path::new(path)).await,
            None => Self::postgres(url).await,
        }
    }

    /// Opens or creates the SQLite file at `path`.
    ///
    /// # Errors
    /// If it cannot be opened, or a newer version of the program has changed its tables.
    pub async fn sqlite(path: &Path) -> Result<Self> {
        // FULL: what was acknowledged survives a power cut. The writer puts several writes into one commit, so that this stays cheap.
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .busy_timeout(Duration::from_secs(5))
            .foreign_keys(true)
            .pragma("temp_store", "memory")
            .disable_statement_logging();
        let mut connection = options.connect().await?;
        schema::migrate_sqlite(&mut connection).await?;
        let readers = SqlitePoolOptions::new()
            .max_connections(SQLITE_READERS_MAX)
            .acquire_timeout(ACQUIRE_TIME_MAX)
            // A file does not go away between two reads.
            .test_before_acquire(false)
            .connect_with(options.clone().read_only(true))
            .await?;
        Ok(Self::Sqlite {
            readers,
            writer: Writer::start(connection),
            path: path.into(),
        })
    }

    async fn postgres(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url)?.disable_statement_logging();
        let pool = PgPoolOptions::new()
            .max_connections(POSTGRES_CONNECTIONS_MAX)
            .acquire_timeout(ACQUIRE_TIME_MAX)
            // Asking first costs a round trip: only a connection that was idle may have been lost without a word.
            .test_before_acquire(false)
            .before_acquire(|connection, about| {
                Box::pin(async move { Ok(about.idle_for < IDLE_UNTESTED_MAX || connection.ping().await.is_ok()) })
            })
            // A server that hangs must not hold a request for ever.
            .after_connect(|connection, _| {
                Box::pin(async move {
                    connection.execute("set statement_timeout = '10s'").await?;
                    Ok(())
                })
            })
            .connect_with(options)
            .await?;
        schema::migrate_postgres(&mut *pool.acquire().await?).await?;
        Ok(Self::Postgres(pool))
    }

    /// A connection for reading.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when none is free in time.
    pub async fn reader(&self) -> Result<Reader> {
        Ok(match self {
            Self::Sqlite { readers, .. } => Reader::Sqlite(readers.acquire().await?),
            Self::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// Reads with one connection.
    ///
    /// # Errors
    /// Those of the work, and [`Error::Unavailable`].
    pub async fn read<T, F>(&self, work: F) -> Result<T>
    where
        F: for<'c> FnOnce(&'c mut Conn<'_>) -> Work<'c, T> + Send,
    {
        let mut reader = self.reader().await?;
        let mut conn = reader.conn();
        work(&mut conn).await
    }

    /// Writes: all of the work or nothing of it. Once this returns `Ok`, a power cut does not undo it.
    ///
    /// The work holds the only writer of SQLite: nothing but SQL belongs into it.
    ///
    /// # Errors
    /// Those of the work, which then leaves nothing behind, and [`Error::Unavailable`].
    pub async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn<'_>) -> Work<'c, T> + Send + 'static,
    {
        match self {
            Self::Sqlite { writer, .. } => writer.write(work).await,
            Self::Postgres(pool) => {
                let mut transaction = pool.begin().await?;
                let done = work(&mut Conn::Postgres(&mut transaction)).await;
                match done {
                    Ok(value) => {
                        transaction.commit().await?;
                        Ok(value)
                    }
                    Err(error) => {
                        let _ = transaction.rollback().await;
                        Err(error)
                    }
                }
            }
        }
    }

    /// Whether it answers.
    ///
    /// # Errors
    /// [`Error::Unavailable`] when it does not.
    pub async fn ping(&self) -> Result<()> {
        self.read(|c| Box::pin(async move { crate::one!(c, (i64,), "select cast(1 as bigint)").map(drop) }))
            .await
    }

    /// Its name for people: `SQLite` or `PostgreSQL`.
    pub fn engine(&self) -> &'static str {
        match self {
            Self::Sqlite { .. } => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        }
    }

    /// Finishes what is under way and closes all connections.
    pub async fn close(&self) {
        match self {
            Self::Sqlite { readers, writer, .. } => {
                readers.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
