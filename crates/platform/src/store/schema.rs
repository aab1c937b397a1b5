//! The numbered migrations of both engines, applied at start.
//!
//! A migration only adds; what it replaces is removed a release later, so that the release before still runs on the tables.

use std::borrow::Cow;

use sqlx::migrate::{Migrate, Migration, MigrationType, Migrator};
use sqlx::{PgConnection, SqlSafeStr, SqliteConnection};

use super::{Error, Result};

/// Number, what it does, and its text for SQLite and for PostgreSQL.
const MIGRATIONS: &[(i64, &str, &str, &str)] = &[(
    1,
    "people, channels, streams",
    include_str!("../../migrations/sqlite/0001_people_channels_streams.sql"),
    include_str!("../../migrations/postgres/0001_people_channels_streams.sql"),
)];

/// The version of the tables that this program writes.
pub const VERSION: i64 = MIGRATIONS[MIGRATIONS.len() - 1].0;

pub(super) async fn migrate_sqlite(connection: &mut SqliteConnection) -> Result<()> {
    migrate(connection, |migration| migration.2).await
}

pub(super) async fn migrate_postgres(connection: &mut PgConnection) -> Result<()> {
    migrate(connection, |migration| migration.3).await
}

async fn migrate<C>(
    connection: &mut C,
    text: fn(&(i64, &str, &'static str, &'static str)) -> &'static str,
) -> Result<()>
where
    C: Migrate,
{
    let migrator = Migrator {
        migrations: MIGRATIONS
            .iter()
            .map(|migration| {
                let name = Cow::Borrowed(migration.1);
                Migration::new(
                    migration.0,
                    name,
                    MigrationType::Simple,
                    text(migration).into_sql_str(),
                    false,
                )
            })
            .collect(),
        ..Migrator::DEFAULT
    };
    connection
        .ensure_migrations_table("_sqlx_migrations")
        .await
        .map_err(fault)?;
    let applied = connection
        .list_applied_migrations("_sqlx_migrations")
        .await
        .map_err(fault)?;
    let found = applied
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or_default();
    if found > VERSION {
        return Err(Error::Newer { found, known: VERSION });
    }
    migrator.run_direct(None, connection, false).await.map_err(fault)
}

fn fault(error: sqlx::migrate::MigrateError) -> Error {
    Error::from(sqlx::Error::from(error))
}
