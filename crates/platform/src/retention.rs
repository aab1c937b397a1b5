//! What is written down and old enough is removed, a little at a time.

use std::time::Duration;

use tokio::sync::watch;
use tracing::{info, warn};

use crate::clock::Time;
use crate::error::Result;
use crate::platform::Platform;
use crate::settings::{Settings, days};
use crate::store::Db;

/// How often old rows are looked for.
const EVERY: Duration = Duration::from_secs(600);
/// Rows of one write: others must not wait long for the writer.
const BATCH_ROWS: i64 = 500;
/// Between two such writes.
const PAUSE: Duration = Duration::from_millis(50);

/// One rule: rows of which `$1` is later than the time they stand for, at most `$2` of them.
struct Rule {
    what: &'static str,
    delete: &'static str,
    /// How long the rows stay.
    kept: fn(&Settings) -> Duration,
}

#[rustfmt::skip]
const RULES: &[Rule] = &[
    Rule { what: "events", kept: |settings| days(settings.retention.events_days),
        delete: "delete from stream_events where id in (select id from stream_events where at < $1 order by at limit $2)" },
    Rule { what: "health", kept: |settings| days(settings.retention.health_days),
        delete: "delete from source_health where (broadcast_id, minute) in
                 (select broadcast_id, minute from source_health where minute < $1 order by minute limit $2)" },
    Rule { what: "audit", kept: |settings| days(settings.retention.audit_days),
        delete: "delete from audit where id in (select id from audit where at < $1 order by at limit $2)" },
    Rule { what: "sessions", kept: |_| days(7),
        delete: "delete from sessions where id in (select id from sessions where expires_at < $1 order by expires_at limit $2)" },
    Rule { what: "links", kept: |_| days(30),
        delete: "delete from links where id in (select id from links where expires_at < $1 order by expires_at limit $2)" },
    Rule { what: "challenges", kept: |_| Duration::ZERO,
        delete: "delete from challenges where digest in (select digest from challenges where expires_at < $1 order by expires_at limit $2)" },
    Rule { what: "stored answers", kept: |_| days(1),
        delete: "delete from idempotency where (actor_id, key) in
                 (select actor_id, key from idempotency where created_at < $1 order by created_at limit $2)" },
];

/// Purges now and then, until `stopping` turns true.
pub async fn run(platform: Platform, mut stopping: watch::Receiver<bool>) {
    loop {
        if let Err(error) = purge(&platform).await {
            warn!(%error, "old rows could not be removed; it is tried again later");
        }
        tokio::select! {
            _ = stopping.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(EVERY) => {}
        }
    }
}

/// Removes everything that is old enough; returns how many rows.
///
/// # Errors
/// Those of the database; what was removed stays so.
pub async fn purge(platform: &Platform) -> Result<u64> {
    let now = platform.clock.now();
    let mut removed = 0;
    for rule in RULES {
        let before = now.minus((rule.kept)(&platform.settings()));
        let rows = apply(&platform.db, rule.delete, before).await?;
        if rows > 0 {
            info!(what = rule.what, rows, "old rows were removed");
        }
        removed += rows;
    }
    Ok(removed)
}

async fn apply(db: &Db, delete: &'static str, before: Time) -> Result<u64> {
    let mut removed = 0;
    loop {
        let rows = db
            .write(move |c| Box::pin(async move { crate::run!(c, delete, before, BATCH_ROWS) }))
            .await?;
        removed += rows;
        if rows < BATCH_ROWS.unsigned_abs() {
            return Ok(removed);
        }
        tokio::time::sleep(PAUSE).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    #[tokio::test]
    async fn what_is_old_goes_and_what_is_new_stays() {
        for world in World::both().await {
            let now = world.platform.clock.now();
            let old = now.minus(days(366));
            world
                .platform
                .db
                .write(move |c| {
                    Box::pin(async move {
                        for n in 0..1_203_i64 {
                            crate::run!(
                                c,
                                "insert into audit (id, at, actor_kind, action, target_kind, target_id, address, detail)
                                 values ($1, $2, 'user', 'a.b', 'user', '', '', '{}')",
                                format!("au{n}"),
                                if n < 1_201 { old } else { now }
                            )?;
                        }
                        Ok(())
                    })
                })
                .await
                .unwrap();
            world.person("ada", &[]).await;
            assert_eq!(purge(&world.platform).await.unwrap(), 1_201);
            assert_eq!(purge(&world.platform).await.unwrap(), 0);
        }
    }
}
