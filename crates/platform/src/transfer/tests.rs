use std::collections::BTreeSet;
use std::io::Cursor;

use super::*;
use crate::authorize::Role;
use crate::store::testing::{TestDb, both, postgres, sqlite};
use crate::testing::World;

fn silent() -> Progress {
    Arc::new(|_, _| {})
}

/// People, roles, sessions, an image, text of all kinds.
async fn furnish(test: TestDb) -> World {
    let world = World::on(test, true).await;
    let ada = world.person("ada", &[Role::Owner, Role::Creator]).await;
    world.person("lin", &[]).await;
    let now = world.platform.clock.now();
    let home = world.platform.settings().home.clone().unwrap();
    world
        .platform
        .db
        .write(move |c| {
            Box::pin(async move {
                crate::run!(
                    c,
                    "insert into images (id, environment_id, content_type, bytes, created_by, created_at) values ('im1', $1, 'image/webp', $2, $3, $4)",
                    &home.environment,
                    (0..=255).collect::<Vec<u8>>(),
                    &ada.id,
                    now
                )?;
                crate::run!(
                    c,
                    "insert into channels (id, environment_id, owner_id, handle, title, description, category, tags, language, mature, visibility, created_at, updated_at)
                     values ('ch1', $1, $2, 'ada', 'Ada''s \u{1F980} show', $3, '', $4, 'en', true, 'public', $5, $5)",
                    &home.environment,
                    &ada.id,
                    "two\nlines \"quoted\" \\ back",
                    Json(vec!["a", "b"]),
                    now
                )
            })
        })
        .await
        .unwrap();
    world
}

use crate::store::Json;

async fn saved(db: &Db) -> Vec<u8> {
    let mut file = Vec::new();
    let ring = KeyRing::random();
    backup(db, &ring, None, &mut file, Time(0), silent()).await.unwrap();
    file
}

/// The lines after the head, which says when and from where.
fn rows_of(file: &[u8]) -> Vec<serde_json::Value> {
    let lines = BufReader::new(GzDecoder::new(file)).lines().skip(1);
    lines
        .map(|line| serde_json::from_str(&line.unwrap()).unwrap())
        .collect()
}

#[tokio::test]
async fn a_backup_of_either_engine_restores_on_either() {
    for from in both().await {
        let world = furnish(from).await;
        let file = saved(&world.platform.db).await;
        for to in both().await {
            let backup = Backup::open(Cursor::new(file.clone())).unwrap();
            let rows = backup.restore(&to.db, false, silent()).await.unwrap();
            assert!(rows > 8, "{rows}");
            assert_eq!(rows_of(&saved(&to.db).await), rows_of(&file), "to {}", to.db.engine());
        }
    }
}

#[tokio::test]
async fn copying_brings_every_row() {
    let world = furnish(sqlite().await).await;
    let to = postgres().await;
    copy(&world.platform.db, &to.db, silent()).await.unwrap();
    assert_eq!(rows_of(&saved(&to.db).await), rows_of(&saved(&world.platform.db).await));
    let again = copy(&world.platform.db, &to.db, silent()).await;
    assert!(matches!(again, Err(Error::NotEmpty(2))), "{again:?}");
}

#[tokio::test]
async fn a_damaged_backup_changes_nothing() {
    let world = furnish(sqlite().await).await;
    let file = saved(&world.platform.db).await;
    let whole = rows_of(&file);
    for to in both().await {
        let full = furnish(to).await;
        let before = rows_of(&saved(&full.platform.db).await);
        let short = Backup::open(Cursor::new(file[..file.len() - 40].to_vec())).unwrap();
        assert!(short.restore(&full.platform.db, true, silent()).await.is_err());
        assert_eq!(rows_of(&saved(&full.platform.db).await), before);
        let refused = Backup::open(Cursor::new(file.clone()))
            .unwrap()
            .restore(&full.platform.db, false, silent())
            .await;
        assert!(matches!(refused, Err(Error::NotEmpty(2))));
        Backup::open(Cursor::new(file.clone()))
            .unwrap()
            .restore(&full.platform.db, true, silent())
            .await
            .unwrap();
        assert_eq!(rows_of(&saved(&full.platform.db).await), whole);
    }
    assert!(matches!(
        Backup::open(Cursor::new(b"nonsense".to_vec())),
        Err(Error::File(_))
    ));
}

#[tokio::test]
async fn a_backup_knows_its_key_ring() {
    let test = sqlite().await;
    let (ring, other) = (KeyRing::random(), KeyRing::random());
    let mut file = Vec::new();
    backup(&test.db, &ring, None, &mut file, Time(0), silent())
        .await
        .unwrap();
    let backup = Backup::open(Cursor::new(file)).unwrap();
    assert!(backup.head.fits(&ring) && !backup.head.fits(&other));
}

#[tokio::test]
async fn the_catalogue_names_every_column_after_its_parents() {
    let test = postgres().await;
    let sql = "select table_name::text, column_name::text, data_type::text from information_schema.columns where table_schema = 'public'";
    let there = test
        .db
        .read(move |c| Box::pin(async move { crate::all!(c, (String, String, String), sql) }))
        .await
        .unwrap();
    let there: BTreeSet<_> = there.into_iter().filter(|row| !row.0.starts_with('_')).collect();
    let known = catalogue::TABLES.iter().flat_map(|table| {
        table.columns.iter().map(|(name, kind)| {
            let kind = match kind {
                catalogue::Type::Text => "text",
                catalogue::Type::Integer => "bigint",
                catalogue::Type::Boolean => "boolean",
                catalogue::Type::Json => "jsonb",
                catalogue::Type::Bytes => "bytea",
            };
            (table.name.to_owned(), (*name).to_owned(), kind.to_owned())
        })
    });
    assert_eq!(known.collect::<BTreeSet<_>>(), there);
}
