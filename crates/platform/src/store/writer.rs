//! SQLite's one writer: those who wait together are committed together, so that one `fdatasync` serves them all.

use std::any::Any;

use futures_util::FutureExt;
use sqlx::{Connection, Executor, SqliteConnection};
use tokio::sync::{mpsc, oneshot};
use tracing::error;

use super::{Conn, Error, Result, Work};

/// Writes that may wait at once.
const WAITING_MAX: usize = 1_024;
/// Writes in one commit.
const COMMIT_WRITES_MAX: usize = 64;

type Value = Box<dyn Any + Send>;
type Job = Box<dyn for<'c> FnOnce(&'c mut Conn<'_>) -> Work<'c, Value> + Send>;
type Answer = oneshot::Sender<Result<Value>>;

/// Hands writes to the task that owns the connection.
#[derive(Clone, Debug)]
pub struct Writer(mpsc::Sender<(Job, Answer)>);

impl Writer {
    pub(super) fn start(connection: SqliteConnection) -> Self {
        let (sender, jobs) = mpsc::channel(WAITING_MAX);
        tokio::spawn(run(connection, jobs));
        Self(sender)
    }

    pub(super) async fn write<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: for<'c> FnOnce(&'c mut Conn<'_>) -> Work<'c, T> + Send + 'static,
    {
        let job: Job = Box::new(move |conn| {
            let done = work(conn);
            Box::pin(async move { done.await.map(|value| Box::new(value) as Value) })
        });
        let (answer, answered) = oneshot::channel();
        let closed = |_| Error::Unavailable("the database is closed".into());
        self.0.send((job, answer)).await.map_err(|_| closed(()))?;
        let value = answered.await.map_err(|_| closed(()))??;
        Ok(*value.downcast().expect("a job answers with its own type"))
    }

    /// Waits until nothing is left to write.
    pub(super) async fn close(&self) {
        let _ = self.write(|_| Box::pin(async { Ok(()) })).await;
    }
}

async fn run(mut connection: SqliteConnection, mut jobs: mpsc::Receiver<(Job, Answer)>) {
    let mut batch = Vec::with_capacity(COMMIT_WRITES_MAX);
    while jobs.recv_many(&mut batch, COMMIT_WRITES_MAX).await > 0 {
        let mut answers = Vec::with_capacity(batch.len());
        let committed = commit(&mut connection, &mut batch, &mut answers).await;
        batch.clear();
        if let Err(fault) = &committed {
            error!(error = %fault, "a commit failed");
            let _ = connection.execute("rollback").await;
        }
        for (answer, done) in answers {
            let told = match &committed {
                Ok(()) => done,
                Err(fault) => done.and(Err(Error::Unavailable(fault.to_string()))),
            };
            // Whoever asked may have gone: the write stands all the same.
            let _ = answer.send(told);
        }
    }
    let _ = connection.close().await;
}

/// Runs each job inside its own savepoint: one that fails takes only itself back.
async fn commit(
    connection: &mut SqliteConnection,
    batch: &mut Vec<(Job, Answer)>,
    answers: &mut Vec<(Answer, Result<Value>)>,
) -> std::result::Result<(), sqlx::Error> {
    let begun = connection.execute("begin immediate").await;
    for (job, answer) in batch.drain(..) {
        if let Err(fault) = &begun {
            answers.push((answer, Err(Error::Unavailable(fault.to_string()))));
            continue;
        }
        connection.execute("savepoint job").await?;
        let mut conn = Conn::Sqlite(connection);
        // A panic in one write must not take the writer away from all others.
        let done = std::panic::AssertUnwindSafe(job(&mut conn)).catch_unwind().await;
        let done = done.unwrap_or_else(|_| Err(Error::Unavailable("the write panicked".into())));
        if done.is_err() {
            connection.execute("rollback to job").await?;
        }
        connection.execute("release job").await?;
        answers.push((answer, done));
    }
    begun?;
    connection.execute("commit").await?;
    Ok(())
}
