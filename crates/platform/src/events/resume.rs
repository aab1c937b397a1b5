//! Broadcasts that were open when the process ended without a word.

use std::time::Duration;

use crate::clock::Time;
use crate::platform::Platform;
use crate::store::{Conn, Result};
use crate::{all, one, run};

/// Open rows that are looked at in one go.
const ROWS: i64 = 500;
/// The health of a source is kept by the minute.
const MINUTE: Duration = Duration::from_secs(60);

/// Closes the broadcasts that the database holds for running and the hub does not know; returns how many. What ran last is where the health
/// of its source ends.
pub(crate) async fn close_lost(platform: &Platform) -> Result<usize> {
    let running: Vec<String> = platform
        .hub()
        .map(hub::Hub::broadcasts)
        .unwrap_or_default()
        .iter()
        .map(|broadcast| broadcast.id().to_string())
        .collect();
    let (mut closed, mut after) = (0, String::new());
    loop {
        let open = platform.db.read(|c| Box::pin(open_after(c, after))).await?;
        let Some((last,)) = open.last().cloned() else {
            return Ok(closed);
        };
        after = last;
        let lost: Vec<String> = open
            .into_iter()
            .map(|(id,)| id)
            .filter(|id| !running.contains(id))
            .collect();
        closed += lost.len();
        let now = platform.clock.now();
        platform.db.write(move |c| Box::pin(close(c, lost, now))).await?;
    }
}

async fn open_after(conn: &mut Conn<'_>, id: String) -> Result<Vec<(String,)>> {
    all!(
        conn,
        (String,),
        "select id from broadcasts where ended_at is null and id > $1 order by id limit $2",
        id,
        ROWS
    )
}

async fn close(conn: &mut Conn<'_>, lost: Vec<String>, now: Time) -> Result<()> {
    for id in lost {
        let last = one!(
            conn,
            (Option<Time>,),
            "select max(minute) from source_health where broadcast_id = $1",
            &id
        )?;
        let ended = last.0.map_or(now, |minute| minute.plus(MINUTE).min(now));
        run!(
            conn,
            "update broadcasts set ended_at = $1, end_reason = 'the server was stopped' where id = $2",
            ended,
            id
        )?;
    }
    Ok(())
}
