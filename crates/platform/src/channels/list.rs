use crate::actor::Actor;
use crate::all;
use crate::channels::{Channel, select};
use crate::clock::Time;
use crate::id::Id;
use crate::store::{Conn, Result};

/// Which of the public channels are wanted.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Words that stand in title, handle, category or tags.
    pub q: Option<String>,
    /// Only this category.
    pub category: Option<String>,
    /// Only those that are on air.
    pub live: bool,
}

/// The channels that everybody may see listed, newest first, from before a time and id.
///
/// # Errors
/// Those of the database.
pub async fn public(
    conn: &mut Conn<'_>,
    environment: &Id,
    filter: Filter,
    before: (Time, String),
    rows: i64,
) -> Result<Vec<Channel>> {
    all!(
        conn,
        Channel,
        select!(
            "c.visibility = 'public' and u.suspended_at is null and u.erased_at is null
             and ($2 is null or c.category = $2)
             and ($3 is null or c.handle like $3 escape '!' or lower(c.title) like $3 escape '!'
                 or lower(c.category) like $3 escape '!' or lower(cast(c.tags as text)) like $3 escape '!')
             and (not $4 or c.stream_id in (select stream_id from broadcasts where ended_at is null))
             and (c.created_at, c.id) < ($5, $6) order by c.created_at desc, c.id desc limit $7"
        ),
        environment,
        filter.category,
        filter.q.map(|q| pattern(&q)),
        filter.live,
        before.0,
        before.1,
        rows
    )
}

/// The channels of a person, and those of which they are members; newest first, from before a time and id.
///
/// # Errors
/// Those of the database.
pub async fn mine(conn: &mut Conn<'_>, actor: &Actor, before: (Time, String), rows: i64) -> Result<Vec<Channel>> {
    all!(
        conn,
        Channel,
        select!(
            "c.id in (select id from channels where owner_id = $2 union
                 select scope_id from role_bindings where subject_id = $2 and scope = 'channel')
             and (c.created_at, c.id) < ($3, $4) order by c.created_at desc, c.id desc limit $5"
        ),
        &actor.environment,
        &actor.user,
        before.0,
        before.1,
        rows
    )
}

/// Both engines fold only ASCII under these columns, so the pattern is folded alike.
fn pattern(q: &str) -> String {
    let mut pattern = String::from("%");
    for c in q.chars() {
        if matches!(c, '%' | '_' | '!') {
            pattern.push('!');
        }
        pattern.push(c.to_ascii_lowercase());
    }
    pattern.push('%');
    pattern
}
