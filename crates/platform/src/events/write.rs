//! Writes reports down, several to a transaction.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{error, info, warn};

use super::report::{Happened, Report};
use crate::platform::Platform;
use crate::run;
use crate::store::{Conn, Error, Json, Result};

/// Reports of one transaction.
const BATCH: usize = 100;
/// How soon it is tried again while the database is away.
const AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long what is left may take when the server stops.
const LAST: Duration = Duration::from_secs(3);

/// Writes until `stopping` turns true, and then what is left.
pub async fn write(platform: Platform, mut stopping: watch::Receiver<bool>) {
    loop {
        tokio::select! {
            () = platform.live.reports.some() => {}
            _ = stopping.wait_for(|stop| *stop) => break,
        }
        if !write_some(&platform).await {
            tokio::time::sleep(AGAIN_AFTER).await;
        }
    }
    let rest = async {
        // The follower may have something to say still.
        tokio::task::yield_now().await;
        while !platform.live.reports.is_empty() {
            if !write_some(&platform).await {
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        }
    };
    if tokio::time::timeout(LAST, rest).await.is_err() {
        warn!("the last events of streams were not written: the database is away");
    }
}

/// Writes what waits, as much as one transaction takes; returns whether the database was there.
async fn write_some(platform: &Platform) -> bool {
    let reports = Arc::new(platform.live.reports.take(BATCH));
    match write_all(platform, Arc::clone(&reports)).await {
        Ok(()) => true,
        Err(Error::Unavailable(reason)) => {
            info!(%reason, "events of streams wait: the database is away");
            platform.live.reports.put_back(reports.to_vec());
            false
        }
        // One of them cannot be written, and must not take the others with it.
        Err(_) => write_singly(platform, &reports).await,
    }
}

async fn write_singly(platform: &Platform, reports: &[Report]) -> bool {
    for (at, report) in reports.iter().enumerate() {
        match write_all(platform, Arc::new(vec![report.clone()])).await {
            Ok(()) => {}
            Err(Error::Unavailable(_)) => {
                platform.live.reports.put_back(reports[at..].to_vec());
                return false;
            }
            Err(fault) => error!(error = %fault, "an event of a stream cannot be written and is left out"),
        }
    }
    true
}

async fn write_all(platform: &Platform, reports: Arc<Vec<Report>>) -> Result<()> {
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                for report in reports.iter() {
                    write_one(c, report).await?;
                }
                Ok(())
            })
        })
        .await
}

async fn write_one(conn: &mut Conn<'_>, report: &Report) -> Result<()> {
    match report {
        Report::Began {
            broadcast,
            environment,
            stream,
            at,
        } => run!(
            conn,
            "insert into broadcasts (id, environment_id, stream_id, started_at) values ($1, $2, $3, $4) on conflict (id) do nothing",
            broadcast,
            environment,
            stream,
            at
        ),
        Report::Ended { broadcast, reason, at } => run!(
            conn,
            "update broadcasts set ended_at = $1, end_reason = $2 where id = $3 and ended_at is null",
            at,
            reason,
            broadcast
        ),
        Report::Happened(happened) => return write_event(conn, happened).await,
        Report::KeyUsed { key, at } => run!(conn, "update stream_keys set used_at = $1 where id = $2", at, key),
        Report::Health(minute) => run!(
            conn,
            "insert into source_health (broadcast_id, minute, samples) values ($1, $2, $3)
             on conflict (broadcast_id, minute) do update set samples = excluded.samples",
            minute.broadcast.as_str(),
            minute.start,
            Json(&minute.samples)
        ),
    }
    .map(drop)
}

async fn write_event(conn: &mut Conn<'_>, happened: &Happened) -> Result<()> {
    run!(
        conn,
        "insert into stream_events (id, environment_id, stream_id, broadcast_id, kind, detail, at) values ($1, $2, $3, $4, $5, $6, $7)
         on conflict (id) do nothing",
        &happened.id,
        &happened.environment,
        &happened.stream,
        &happened.broadcast,
        happened.kind,
        Json(&happened.detail),
        happened.at
    )
    .map(drop)
}
