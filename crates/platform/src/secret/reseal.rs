//! After a rotation of the key ring: everything that is sealed and stays is sealed anew with the newest key.

use sqlx::AssertSqlSafe;

use super::{KeyRing, Place, Sealed};
use crate::error::Result;
use crate::store::Db;

/// A column of sealed values that stay. Those of links, half-done sign-ins and stored answers end by themselves within days.
struct Column {
    table: &'static str,
    name: &'static str,
    /// Where [`Place::column`] says it stands.
    place: &'static str,
    /// The column that [`Place::row`] is taken from.
    row: &'static str,
}

#[rustfmt::skip]
const COLUMNS: &[Column] = &[
    Column { table: "settings", name: "sealed", place: "settings.sealed", row: "name" },
    Column { table: "authenticators", name: "secret", place: "authenticators.secret", row: "user_id" },
    Column { table: "identity_providers", name: "client_secret", place: "identity_providers.client_secret", row: "id" },
    Column { table: "stream_keys", name: "sealed", place: "stream_keys.sealed", row: "id" },
];

/// What [`reseal`] found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Resealed {
    /// Values that an older key had sealed.
    pub renewed: u64,
    /// Values that no key of the ring opens.
    pub closed: u64,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: String,
    sealed: Sealed,
}

/// Seals everything with the newest key that an older one sealed.
///
/// # Errors
/// Those of the database; what was done stays done.
pub async fn reseal(db: &Db, ring: &KeyRing) -> Result<Resealed> {
    let mut done = Resealed::default();
    for column in COLUMNS {
        for row in sealed_rows(db, column).await? {
            if row.sealed.version() == Some(ring.newest()) {
                continue;
            }
            let place = Place {
                column: column.place,
                row: &row.id,
            };
            let Ok(secret) = ring.open_bytes(place, &row.sealed) else {
                done.closed += 1;
                continue;
            };
            renew(db, column, ring.seal(place, &secret), row).await?;
            done.renewed += 1;
        }
    }
    Ok(done)
}

/// How many values that stay are sealed in this database, by any ring.
///
/// # Errors
/// Those of the database.
pub async fn count(db: &Db) -> Result<u64> {
    let mut count = 0;
    for column in COLUMNS {
        count += sealed_rows(db, column).await?.len() as u64;
    }
    Ok(count)
}

async fn sealed_rows(db: &Db, column: &'static Column) -> Result<Vec<Row>> {
    let sql = format!(
        "select {} as id, {} as sealed from {} where {1} is not null",
        column.row, column.name, column.table
    );
    let rows = db
        .read(move |c| Box::pin(async move { crate::all!(c, Row, AssertSqlSafe(sql.as_str())) }))
        .await?;
    Ok(rows)
}

/// Only if it is still what was opened: somebody may have changed it meanwhile.
async fn renew(db: &Db, column: &'static Column, sealed: Sealed, row: Row) -> Result<()> {
    let sql = format!(
        "update {} set {} = $1 where {} = $2 and {1} = $3",
        column.table, column.name, column.row
    );
    db.write(move |c| Box::pin(async move { crate::run!(c, AssertSqlSafe(sql.as_str()), sealed, row.id, row.sealed) }))
        .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Time;
    use crate::secret::Secret;
    use crate::settings;
    use crate::store::testing::both;

    #[tokio::test]
    async fn after_a_rotation_only_the_newest_key_is_needed() {
        for test in both().await {
            let mut ring = KeyRing::random();
            let old = ring.seal(
                Place {
                    column: "settings.sealed",
                    row: "mail_password",
                },
                b"s3cret",
            );
            assert_eq!(old.version(), Some(1));
            let saved = KeyRing::random();
            let secret = Secret::new("s3cret");
            test.db
                .write(move |c| {
                    Box::pin(async move { settings::save_mail_password(c, &saved, &secret, Time(1)).await })
                })
                .await
                .unwrap();
            assert_eq!(
                reseal(&test.db, &ring).await.unwrap(),
                Resealed { renewed: 0, closed: 0 },
                "same version"
            );
            ring.rotate();
            assert_eq!(
                reseal(&test.db, &ring).await.unwrap(),
                Resealed { renewed: 0, closed: 1 },
                "another ring's"
            );
            test.db
                .write(move |c| Box::pin(async move { crate::run!(c, "update settings set sealed = $1", old) }))
                .await
                .unwrap();
            assert_eq!(
                reseal(&test.db, &ring).await.unwrap(),
                Resealed { renewed: 1, closed: 0 }
            );
            ring.retire();
            let password = settings::mail_password(&test.db, &ring).await.unwrap().unwrap();
            assert_eq!(password.expose(), "s3cret");
        }
    }
}
