//! Creations that are asked for twice happen once: the first answer is kept for a day and given again.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::platform::Platform;
use crate::secret::{Digest, Place, Sealed};
use crate::settings::days;
use crate::store::{self, Conn};
use crate::{one, run};

/// Characters of a key.
pub const KEY_MAX: usize = 255;
/// A creation that has not answered for so long was cut off: the next who asks does it.
const UNDER_WAY_MAX: Duration = Duration::from_secs(60);
/// How long an answer is kept, in days.
const KEPT_DAYS: u32 = 1;

/// Who asks, with which key: one place for one answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Once {
    /// The person.
    pub actor: Id,
    /// Their session or token: what one of them was shown, another is not.
    pub credential: Id,
    /// Chosen by whoever asks.
    pub key: String,
    /// Of everything that makes the request what it is.
    pub request: Digest,
}

/// An answer that was given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// Its type.
    pub content_type: Option<String>,
    /// Its body; sealed in the database, because it may hold a secret.
    pub body: Vec<u8>,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Claim {
    /// It is the first: do it, then [`keep`] the answer or [`release`] the key.
    First,
    /// It was done: this is the answer.
    Done(Answer),
}

#[derive(sqlx::FromRow)]
struct Row {
    request: Digest,
    status: i64,
    body: Option<Sealed>,
}

/// Says whether a request is the first with its key.
///
/// # Errors
/// [`Error::Conflict`] while the first is under way, [`Error::Field`] where the key stands for another request, and those of the database.
pub async fn claim(platform: &Platform, once: &Once) -> Result<Claim> {
    let (now, wanted) = (platform.clock.now(), once.clone());
    let row = platform
        .db
        .write(move |c| Box::pin(async move { take(c, &wanted, now).await }))
        .await?;
    let Some(row) = row else { return Ok(Claim::First) };
    if row.request != once.request {
        return Err(Error::Field {
            pointer: "".into(),
            detail: "this Idempotency-Key was used for another request".into(),
        });
    }
    let Some(sealed) = row.body.filter(|_| row.status != 0) else {
        return Err(Error::Conflict {
            code: "in_progress",
            detail: "the same request is still under way: ask again in a second".into(),
        });
    };
    let bytes = platform.ring().open_bytes(place(&once.row()), &sealed)?;
    let answer = serde_json::from_slice(&bytes);
    Ok(Claim::Done(answer.map_err(|error| Error::Fault(error.to_string()))?))
}

/// Keeps the answer of a request that was the first.
///
/// # Errors
/// Those of the database.
pub async fn keep(platform: &Platform, once: Once, answer: &Answer) -> Result<()> {
    let bytes = serde_json::to_vec(answer).map_err(|error| Error::Fault(error.to_string()))?;
    let sealed = platform.ring().seal(place(&once.row()), &bytes);
    let status = i64::from(answer.status);
    let kept = platform.db.write(move |c| {
        Box::pin(async move {
            run!(
                c,
                "update idempotency set status = $1, body = $2 where actor_id = $3 and key = $4",
                status,
                sealed,
                &once.actor,
                once.place_key()
            )
        })
    });
    Ok(kept.await.map(drop)?)
}

/// Forgets a request that was the first and came to nothing.
///
/// # Errors
/// Those of the database.
pub async fn release(platform: &Platform, once: Once) -> Result<()> {
    let released = platform.db.write(move |c| {
        Box::pin(async move {
            run!(
                c,
                "delete from idempotency where actor_id = $1 and key = $2 and status = 0",
                &once.actor,
                once.place_key()
            )
        })
    });
    Ok(released.await.map(drop)?)
}

/// Takes the place, or tells what is there.
async fn take(conn: &mut Conn<'_>, once: &Once, now: Time) -> store::Result<Option<Row>> {
    let taken = run!(
        conn,
        "insert into idempotency (actor_id, key, request, status, created_at) values ($1, $2, $3, 0, $4)
         on conflict (actor_id, key) do update set request = excluded.request, status = 0, body = null, created_at = excluded.created_at
         where idempotency.created_at <= $5 or (idempotency.status = 0 and idempotency.created_at <= $6)",
        &once.actor,
        once.place_key(),
        &once.request,
        now,
        now.minus(days(KEPT_DAYS)),
        now.minus(UNDER_WAY_MAX)
    )?;
    if taken > 0 {
        return Ok(None);
    }
    let row = one!(
        conn,
        Row,
        "select request, status, body from idempotency where actor_id = $1 and key = $2",
        &once.actor,
        once.place_key()
    )?;
    Ok(Some(row))
}

/// Where an answer is sealed for; `row` is [`Once::row`].
fn place(row: &str) -> Place<'_> {
    Place {
        column: "idempotency.body",
        row,
    }
}

impl Once {
    /// The key as it stands in the row.
    fn place_key(&self) -> String {
        format!("{}:{}", self.credential, self.key)
    }

    fn row(&self) -> String {
        format!("{}:{}", self.actor, self.place_key())
    }
}
