use std::collections::BTreeSet;
use std::time::Duration;

use super::testing::{both, postgres, sqlite};
use super::*;
use crate::{all, one, optional, run};

type Named = (String,);

async fn put(db: &Db, name: &'static str, fail: bool) -> Result<()> {
    db.write(move |c| {
        Box::pin(async move {
            run!(
                c,
                "insert into organisations (id, name, created_at) values ($1, $1, 7)",
                name
            )?;
            if fail { Err(Error::Missing) } else { Ok(()) }
        })
    })
    .await
}

async fn names(db: &Db) -> Vec<String> {
    let rows = db
        .read(|c| Box::pin(async move { all!(c, Named, "select name from organisations order by name") }))
        .await
        .unwrap();
    rows.into_iter().map(|row| row.0).collect()
}

#[tokio::test]
async fn a_write_that_fails_leaves_nothing_and_takes_nobody_with_it() {
    for test in both().await {
        let writes = [("a", false), ("b", true), ("c", false), ("a", false)];
        let done = futures_util::future::join_all(writes.map(|(name, fail)| put(&test.db, name, fail))).await;
        assert!(
            matches!(done[..], [Ok(()), Err(Error::Missing), Ok(()), Err(Error::Taken(_))]),
            "{done:?}"
        );
        assert_eq!(names(&test.db).await, ["a", "c"], "{}", test.db.engine());
    }
}

#[tokio::test]
async fn a_write_that_panics_is_one_failed_write() {
    let test = sqlite().await;
    let broken = test
        .db
        .write::<(), _>(|_| Box::pin(async { panic!("a fault of ours") }))
        .await;
    assert!(matches!(broken, Err(Error::Unavailable(_))));
    put(&test.db, "after", false).await.unwrap();
    assert_eq!(names(&test.db).await, ["after"]);
}

#[tokio::test]
async fn text_orders_alike_on_both_engines() {
    for test in both().await {
        for name in ["b", "B", "a", "ä", "Z", "_", "1"] {
            put(&test.db, name, false).await.unwrap();
        }
        assert_eq!(
            names(&test.db).await,
            ["1", "B", "Z", "_", "a", "b", "ä"],
            "{}",
            test.db.engine()
        );
    }
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let columns = |test: testing::TestDb, sql: &'static str| async move {
        let rows = test
            .db
            .read(move |c| Box::pin(async move { all!(c, (String, String), sql) }))
            .await
            .unwrap();
        rows.into_iter()
            .filter(|row| !row.0.starts_with("_sqlx"))
            .collect::<BTreeSet<_>>()
    };
    let of_sqlite = columns(
        sqlite().await,
        "select m.name, p.name || case when p.\"notnull\" = 1 or p.pk > 0 then ' not null' else '' end
         from sqlite_master m, pragma_table_info(m.name) p where m.type = 'table'",
    )
    .await;
    let of_postgres = columns(
        postgres().await,
        "select table_name::text, column_name::text || case when is_nullable = 'NO' then ' not null' else '' end
         from information_schema.columns where table_schema = 'public'",
    )
    .await;
    assert!(of_sqlite.len() > 100, "{}", of_sqlite.len());
    assert_eq!(of_sqlite, of_postgres);
}

#[tokio::test]
async fn both_engines_have_the_same_indexes() {
    let indexes = |test: testing::TestDb, sql: &'static str| async move {
        let rows = test
            .db
            .read(move |c| Box::pin(async move { all!(c, Named, sql) }))
            .await
            .unwrap();
        rows.into_iter().map(|row| row.0).collect::<BTreeSet<_>>()
    };
    let of_sqlite = indexes(
        sqlite().await,
        "select name from sqlite_master where type = 'index' and name not like 'sqlite_autoindex%'",
    )
    .await;
    let of_postgres = indexes(
        postgres().await,
        "select indexname::text from pg_indexes where schemaname = 'public' and indexname not like '%_pkey' and indexname not like '%_key'",
    )
    .await;
    assert_eq!(of_sqlite, of_postgres);
}

#[tokio::test]
async fn an_older_program_refuses_newer_tables() {
    for test in both().await {
        test.db
            .write(|c| {
                Box::pin(async move {
                    run!(
                        c,
                        "insert into _sqlx_migrations (version, description, success, checksum, execution_time)
                         values (9999, 'of tomorrow', true, $1, 0)",
                        vec![0_u8]
                    )
                })
            })
            .await
            .unwrap();
        test.db.close().await;
        assert!(matches!(
            Db::open(&test.url).await,
            Err(Error::Newer { found: 9999, .. })
        ));
    }
}

#[tokio::test]
async fn opening_again_changes_nothing() {
    for test in both().await {
        put(&test.db, "kept", false).await.unwrap();
        let again = Db::open(&test.url).await.unwrap();
        assert_eq!(names(&again).await, ["kept"]);
    }
}

#[tokio::test]
async fn the_audit_log_cannot_be_rewritten() {
    for test in both().await {
        let insert = "insert into audit (id, at, actor_kind, action, target_kind, target_id, address, detail)
                      values ('au1', 1, 'user', 'a.b', 'user', 'us1', '', '{}')";
        test.db
            .write(move |c| Box::pin(async move { run!(c, insert) }))
            .await
            .unwrap();
        let rewrite = test
            .db
            .write(|c| Box::pin(async move { run!(c, "update audit set action = 'x'") }))
            .await;
        assert!(rewrite.is_err(), "{}", test.db.engine());
        let row = test
            .db
            .read(|c| Box::pin(async move { one!(c, Named, "select action from audit") }))
            .await;
        assert_eq!(row.unwrap().0, "a.b");
    }
}

#[tokio::test]
async fn a_database_that_is_away_is_said_to_be_away_within_a_second() {
    let test = sqlite().await;
    test.db.close().await;
    let asked = tokio::time::timeout(Duration::from_secs(1), test.db.ping()).await;
    assert!(matches!(asked, Ok(Err(Error::Unavailable(_)))));
    let none = test
        .db
        .read(|c| Box::pin(async move { optional!(c, Named, "select name from organisations") }))
        .await;
    assert!(none.is_err());
}
