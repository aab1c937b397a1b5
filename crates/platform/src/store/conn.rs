use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection};

/// A connection to either engine, inside a transaction where it came from [`Db::write`](super::Db::write).
#[derive(Debug)]
pub enum Conn<'a> {
    /// To the file.
    Sqlite(&'a mut SqliteConnection),
    /// To the server.
    Postgres(&'a mut PgConnection),
}

/// A connection of a pool; goes back when dropped.
#[derive(Debug)]
pub enum Reader {
    /// To the file.
    Sqlite(PoolConnection<Sqlite>),
    /// To the server.
    Postgres(PoolConnection<Postgres>),
}

impl Reader {
    /// The connection itself.
    pub fn conn(&mut self) -> Conn<'_> {
        match self {
            Self::Sqlite(connection) => Conn::Sqlite(connection),
            Self::Postgres(connection) => Conn::Postgres(connection),
        }
    }
}

/// Sends one text to whichever engine is there: the others are made of it.
#[doc(hidden)]
#[macro_export]
macro_rules! on_engine {
    ($conn:expr, $query:ident $(<$row:ty>)?, $sql:expr, [$($bind:expr),*], $fetch:ident) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => {
                sqlx::$query::<sqlx::Sqlite $(, $row)?>($sql)$(.bind($bind))*.$fetch(&mut **connection).await
            }
            $crate::store::Conn::Postgres(connection) => {
                sqlx::$query::<sqlx::Postgres $(, $row)?>($sql)$(.bind($bind))*.$fetch(&mut **connection).await
            }
        }
    };
}

/// `one!(conn, Row, SQL, binds…)`: exactly one row; none is [`Error::Missing`](crate::store::Error::Missing).
#[macro_export]
macro_rules! one {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::on_engine!($conn, query_as<$row>, $sql, [$($bind),*], fetch_one).map_err($crate::store::Error::from)
    };
}

/// `optional!(conn, Row, SQL, binds…)`: one row or `None`.
#[macro_export]
macro_rules! optional {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::on_engine!($conn, query_as<$row>, $sql, [$($bind),*], fetch_optional).map_err($crate::store::Error::from)
    };
}

/// `all!(conn, Row, SQL, binds…)`: every row. The text limits how many.
#[macro_export]
macro_rules! all {
    ($conn:expr, $row:ty, $sql:expr $(, $bind:expr)* $(,)?) => {
        $crate::on_engine!($conn, query_as<$row>, $sql, [$($bind),*], fetch_all).map_err($crate::store::Error::from)
    };
}

/// `run!(conn, SQL, binds…)`: changes rows and says how many.
#[macro_export]
macro_rules! run {
    ($conn:expr, $sql:expr $(, $bind:expr)* $(,)?) => {
        match $conn {
            $crate::store::Conn::Sqlite(connection) => {
                sqlx::query::<sqlx::Sqlite>($sql)$(.bind($bind))*.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
            $crate::store::Conn::Postgres(connection) => {
                sqlx::query::<sqlx::Postgres>($sql)$(.bind($bind))*.execute(&mut **connection).await.map(|done| done.rows_affected())
            }
        }
        .map_err($crate::store::Error::from)
    };
}
