//! A sign-in or registration that is half done. Whoever holds its secret goes on with it; what was noted is sealed.

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::Id;
use crate::secret::{Digest, KeyRing, Place, Sealed, Secret};
use crate::store::{self, Conn};

/// How long one may take.
pub const LIFETIME: Duration = Duration::from_secs(600);
/// Answers that may be tried.
pub const ATTEMPTS_MAX: i64 = 5;

/// Something half done, found again.
#[derive(Debug)]
pub struct Held {
    /// Who it is about, where that was known.
    pub user: Option<Id>,
    sealed: Sealed,
    row: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    user_id: Option<Id>,
    sealed: Sealed,
}

impl Held {
    fn of(row: Row, digest: &Digest) -> Self {
        Self {
            user: row.user_id,
            sealed: row.sealed,
            row: name(digest),
        }
    }

    /// What was noted.
    ///
    /// # Errors
    /// If another ring sealed it, or it was noted as something else.
    pub fn open<T: DeserializeOwned>(&self, ring: &KeyRing) -> Result<T> {
        let bytes = ring.open_bytes(place(&self.row), &self.sealed)?;
        serde_json::from_slice(&bytes).map_err(|fault| Error::Fault(format!("a challenge is not readable: {fault}")))
    }
}

/// Begins one: `noted` comes back with the secret that is returned, for ten minutes.
///
/// # Errors
/// Those of the database.
pub async fn create<T: Serialize + Sync>(
    conn: &mut Conn<'_>,
    ring: &KeyRing,
    kind: &'static str,
    user: Option<&Id>,
    noted: &T,
    now: Time,
) -> store::Result<Secret> {
    let secret = Secret::random();
    let digest = secret.digest();
    let noted = serde_json::to_vec(noted).expect("what is noted is plain data");
    let sealed = ring.seal(place(&name(&digest)), &noted);
    crate::run!(
        conn,
        "insert into challenges (digest, kind, user_id, sealed, attempts, created_at, expires_at) values ($1, $2, $3, $4, 0, $5, $6)",
        &digest,
        kind,
        user,
        sealed,
        now,
        now.plus(LIFETIME)
    )?;
    Ok(secret)
}

/// Finds one and ends it: of two who come at once, one gets it.
///
/// # Errors
/// Those of the database.
pub async fn take(conn: &mut Conn<'_>, kind: &'static str, secret: &Secret, now: Time) -> store::Result<Option<Held>> {
    let digest = secret.digest();
    let row = crate::optional!(
        conn,
        Row,
        "delete from challenges where digest = $1 and kind = $2 and expires_at > $3 returning user_id, sealed",
        &digest,
        kind,
        now
    )?;
    Ok(row.map(|row| Held::of(row, &digest)))
}

/// Finds one for one answer to it; after five there is none. A right answer ends it with [`take`].
///
/// # Errors
/// Those of the database.
pub async fn attempt(
    conn: &mut Conn<'_>,
    kind: &'static str,
    secret: &Secret,
    now: Time,
) -> store::Result<Option<Held>> {
    let digest = secret.digest();
    let row = crate::optional!(
        conn,
        Row,
        "update challenges set attempts = attempts + 1
         where digest = $1 and kind = $2 and expires_at > $3 and attempts < $4 returning user_id, sealed",
        &digest,
        kind,
        now,
        ATTEMPTS_MAX
    )?;
    Ok(row.map(|row| Held::of(row, &digest)))
}

fn place(row: &str) -> Place<'_> {
    Place {
        column: "challenges.sealed",
        row,
    }
}

fn name(digest: &Digest) -> String {
    URL_SAFE_NO_PAD.encode(digest.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::World;

    async fn begin(world: &World) -> Secret {
        let (ring, now) = (world.platform.ring(), world.platform.clock.now());
        let noted = "noted".to_owned();
        world
            .platform
            .db
            .write(move |c| Box::pin(async move { create(c, &ring, "factor", None, &noted, now).await }))
            .await
            .unwrap()
    }

    async fn taken(world: &World, kind: &'static str, secret: &Secret) -> Option<Held> {
        let (secret, now) = (secret.clone(), world.platform.clock.now());
        let db = &world.platform.db;
        db.write(move |c| Box::pin(async move { take(c, kind, &secret, now).await }))
            .await
            .unwrap()
    }

    async fn tried(world: &World, secret: &Secret) -> bool {
        let (secret, now) = (secret.clone(), world.platform.clock.now());
        let db = &world.platform.db;
        let held = db.write(move |c| Box::pin(async move { attempt(c, "factor", &secret, now).await }));
        held.await.unwrap().is_some()
    }

    #[tokio::test]
    async fn a_challenge_is_answered_once_in_time_and_for_what_it_was_made() {
        for world in World::both().await {
            let secret = begin(&world).await;
            assert!(taken(&world, "passkey", &secret).await.is_none());
            assert!(taken(&world, "factor", &Secret::random()).await.is_none());
            let held = taken(&world, "factor", &secret).await.unwrap();
            assert_eq!(held.open::<String>(&world.platform.ring()).unwrap(), "noted");
            assert!(taken(&world, "factor", &secret).await.is_none());
            let late = begin(&world).await;
            world.platform.clock.advance(LIFETIME);
            assert!(taken(&world, "factor", &late).await.is_none());
        }
    }

    #[tokio::test]
    async fn after_five_wrong_answers_a_right_one_is_too_late() {
        for world in World::both().await {
            let secret = begin(&world).await;
            for _ in 0..ATTEMPTS_MAX {
                assert!(tried(&world, &secret).await);
            }
            assert!(!tried(&world, &secret).await);
        }
    }
}
