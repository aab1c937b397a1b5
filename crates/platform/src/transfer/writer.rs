use sqlx::AssertSqlSafe;

use super::Error;
use super::catalogue::{TABLES, Table};
use super::cell::Cell;
use crate::store::{Conn, Json, Result};

/// Removes every row, children before parents.
pub(super) async fn empty(conn: &mut Conn<'_>) -> Result<()> {
    for table in TABLES.iter().rev() {
        let sql = format!("delete from {}", table.name);
        crate::run!(conn, AssertSqlSafe(sql.as_str()))?;
    }
    Ok(())
}

/// Writes one row.
pub(super) async fn put(conn: &mut Conn<'_>, table: &Table, row: Vec<Cell>) -> Result<()> {
    if row.len() != table.columns.len() {
        return Err(Error::Damaged(format!("a row of {} has {} values", table.name, row.len())).into());
    }
    let sql = AssertSqlSafe(insert(table, &row));
    match conn {
        Conn::Sqlite(connection) => {
            let query = row
                .into_iter()
                .fold(sqlx::query::<sqlx::Sqlite>(sql), |query, cell| match cell {
                    Cell::None => query,
                    Cell::Text(text) => query.bind(text),
                    Cell::Integer(number) => query.bind(number),
                    Cell::Boolean(yes) => query.bind(yes),
                    Cell::Json(json) => query.bind(Json(json)),
                    Cell::Bytes(bytes) => query.bind(bytes),
                });
            query.execute(&mut **connection).await?;
        }
        Conn::Postgres(connection) => {
            let query = row
                .into_iter()
                .fold(sqlx::query::<sqlx::Postgres>(sql), |query, cell| match cell {
                    Cell::None => query,
                    Cell::Text(text) => query.bind(text),
                    Cell::Integer(number) => query.bind(number),
                    Cell::Boolean(yes) => query.bind(yes),
                    Cell::Json(json) => query.bind(Json(json)),
                    Cell::Bytes(bytes) => query.bind(bytes),
                });
            query.execute(&mut **connection).await?;
        }
    }
    Ok(())
}

/// The text for a row; what is not there is left out, as nothing has no type to bind.
fn insert(table: &Table, row: &[Cell]) -> String {
    let there = || {
        table
            .columns
            .iter()
            .zip(row)
            .filter(|(_, cell)| !matches!(cell, Cell::None))
    };
    let names: Vec<_> = there().map(|((name, _), _)| *name).collect();
    let places: Vec<_> = (1..=names.len()).map(|place| format!("${place}")).collect();
    format!(
        "insert into {} ({}) values ({})",
        table.name,
        names.join(", "),
        places.join(", ")
    )
}
