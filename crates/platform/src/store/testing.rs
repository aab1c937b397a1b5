//! Fresh databases for tests, of both engines.

use std::process::Command;
use std::sync::OnceLock;

use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};

use super::Db;

/// A database that nobody else uses, and what keeps it.
#[derive(Debug)]
pub struct TestDb {
    /// The database, with all tables and no rows.
    pub db: Db,
    /// Opens the same one again.
    pub url: String,
    _folder: Option<tempfile::TempDir>,
}

/// One of each engine.
///
/// # Panics
/// If PostgreSQL cannot be started: `scripts/postgres.sh` says what is missing.
pub async fn both() -> [TestDb; 2] {
    [sqlite().await, postgres().await]
}

/// A SQLite file in a folder of its own.
///
/// # Panics
/// If there is no place for it.
pub async fn sqlite() -> TestDb {
    let folder = tempfile::tempdir().expect("a folder for the test");
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    TestDb {
        db: Db::open(&url).await.expect("SQLite opens"),
        url,
        _folder: Some(folder),
    }
}

/// A database of its own in the tests' PostgreSQL.
///
/// # Panics
/// If it cannot be started: `scripts/postgres.sh` says what is missing.
pub async fn postgres() -> TestDb {
    let server = server();
    let name = format!("test_{}", crate::id::random_text());
    let mut connection = PgConnection::connect(server).await.expect("PostgreSQL answers");
    connection
        .execute(AssertSqlSafe(format!("create database {name}")))
        .await
        .expect("a database for the test");
    let mut url = url::Url::parse(server).expect("TEST_POSTGRES is a URL");
    url.set_path(&name);
    TestDb {
        db: Db::open(url.as_str()).await.expect("PostgreSQL opens"),
        url: url.into(),
        _folder: None,
    }
}

/// The address of the tests' server: `TEST_POSTGRES`, or the one that the script starts.
fn server() -> &'static str {
    static SERVER: OnceLock<String> = OnceLock::new();
    SERVER.get_or_init(|| {
        std::env::var("TEST_POSTGRES").unwrap_or_else(|_| {
            let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/postgres.sh");
            let output = Command::new(script)
                .arg("url")
                .output()
                .expect("scripts/postgres.sh runs");
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            String::from_utf8_lossy(&output.stdout).trim().to_owned()
        })
    })
}
