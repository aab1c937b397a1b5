use futures_util::stream::BoxStream;
use futures_util::{StreamExt, TryStreamExt};
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Executor, Postgres, Sqlite};

use super::catalogue::Table;
use super::cell::Cell;
use crate::store::{self, Db, Result};

/// One transaction that sees the database as it was when it began.
pub(super) enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
}

impl Reader {
    pub(super) async fn begin(db: &Db) -> Result<Self> {
        Ok(match db.reader().await? {
            store::Reader::Sqlite(mut connection) => {
                // A reader of a write-ahead log sees one moment until its transaction ends.
                connection.execute("begin").await?;
                Self::Sqlite(connection)
            }
            store::Reader::Postgres(mut connection) => {
                let begin = "begin isolation level repeatable read read only; set local statement_timeout = 0";
                connection.execute(sqlx::raw_sql(begin)).await?;
                Self::Postgres(connection)
            }
        })
    }

    /// Every row of a table.
    pub(super) fn rows<'a>(&'a mut self, table: &'static Table) -> BoxStream<'a, Result<Vec<Cell>>> {
        let names: Vec<_> = table.columns.iter().map(|(name, _)| *name).collect();
        let sql = AssertSqlSafe(format!("select {} from {} order by 1, 2", names.join(", "), table.name));
        match self {
            Self::Sqlite(connection) => sqlx::query(sql)
                .fetch(&mut **connection)
                .map_err(store::Error::from)
                .map(|row| row.and_then(|row| read(table, |index, kind| Cell::read(&row, index, kind))))
                .boxed(),
            Self::Postgres(connection) => sqlx::query(sql)
                .fetch(&mut **connection)
                .map_err(store::Error::from)
                .map(|row| row.and_then(|row| read(table, |index, kind| Cell::read(&row, index, kind))))
                .boxed(),
        }
    }
}

fn read(table: &Table, cell: impl Fn(usize, super::catalogue::Type) -> Result<Cell>) -> Result<Vec<Cell>> {
    let columns = table.columns.iter().enumerate();
    columns.map(|(index, (_, kind))| cell(index, *kind)).collect()
}

impl Drop for Reader {
    fn drop(&mut self) {
        // The transaction must not come back into the pool.
        match self {
            Self::Sqlite(connection) => connection.close_on_drop(),
            Self::Postgres(connection) => connection.close_on_drop(),
        }
    }
}
