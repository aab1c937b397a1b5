//! Everything that the server keeps about a person, for that person.

use serde_json::{Map, Value, json};

use crate::clock::Time;
use crate::id::Id;
use crate::people::{profile, roles};
use crate::store::{Conn, Json, Result};

/// Rows of one kind.
const ROWS_MAX: i64 = 10_000;

/// A kind of rows: its name, and a text that makes one JSON object of each.
type Part = (&'static str, &'static str);

/// Only texts and numbers that mean something to people; never a secret, a digest or a hash.
#[rustfmt::skip]
const PARTS: &[Part] = &[
    ("sessions", "select id, method, user_agent || ' ' || address, created_at from sessions where user_id = $1 order by created_at limit $2"),
    ("passkeys", "select id, name, '', created_at from passkeys where user_id = $1 order by created_at limit $2"),
    ("identities", "select id, issuer, coalesce(email, ''), created_at from identities where user_id = $1 order by created_at limit $2"),
    ("tokens", "select id, name, '', created_at from tokens where user_id = $1 order by created_at limit $2"),
    ("channels", "select id, handle, title, created_at from channels where owner_id = $1 and deleted_at is null order by created_at limit $2"),
    ("streams", "select id, title, '', created_at from streams where owner_id = $1 and deleted_at is null order by created_at limit $2"),
    ("broadcasts", "select b.id, b.stream_id, coalesce(b.end_reason, ''), b.started_at from broadcasts b join streams s on s.id = b.stream_id
                    where s.owner_id = $1 order by b.started_at desc limit $2"),
    ("audit", "select id, action, target_kind || ' ' || target_id || ' ' || address, at from audit where actor_id = $1 order by at desc limit $2"),
];

/// Makes the export.
///
/// # Errors
/// Those of the database.
pub async fn of(conn: &mut Conn<'_>, user: &Id) -> Result<Value> {
    let profile = profile::find(conn, user).await?;
    let mut parts = Map::new();
    parts.insert("format".into(), json!("headwater-account-1"));
    parts.insert(
        "account".into(),
        json!({
            "id": profile.id, "email": profile.email, "name": profile.name, "locale": profile.locale,
            "created_at": profile.created_at, "signed_in_at": profile.signed_in_at,
        }),
    );
    parts.insert("roles".into(), json!(roles::of(conn, user).await?));
    for (name, sql) in PARTS {
        let rows = crate::all!(conn, (String, String, String, Time), *sql, user, ROWS_MAX)?;
        let rows = rows
            .into_iter()
            .map(|(id, what, more, at)| json!({"id": id, "what": what, "more": more, "at": at}));
        parts.insert((*name).into(), rows.collect());
    }
    let channels = crate::all!(
        conn,
        (String, String, Json<Value>),
        "select handle, description, tags from channels where owner_id = $1 and deleted_at is null order by created_at limit $2",
        user,
        ROWS_MAX
    )?;
    let channels = channels
        .into_iter()
        .map(|(handle, description, tags)| json!({"handle": handle, "description": description, "tags": tags.0}));
    parts.insert("channel_pages".into(), channels.collect());
    Ok(Value::Object(parts))
}
