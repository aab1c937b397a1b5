//! The audit log, for those who run the server.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::all;
use crate::api::{Items, PageQuery, Query};
use crate::authorize::{Action, Resource};
use crate::clock::Time;
use crate::error::{Problem, Result};
use crate::id::Id;
use crate::platform::Platform;
use crate::store;

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(audit))
}

/// One act.
#[derive(Debug, Serialize, ToSchema)]
struct Entry {
    /// Of the entry.
    id: Id,
    /// When.
    at: Time,
    /// Who.
    actor: Who,
    /// What, as `thing.verb`.
    action: String,
    /// To what.
    target: Target,
    /// From where.
    address: String,
    /// More about it.
    detail: serde_json::Value,
}

/// Who did it.
#[derive(Debug, Serialize, ToSchema)]
struct Who {
    /// The person, where known.
    id: Option<Id>,
    /// What they are called now.
    name: Option<String>,
    /// `user`, `token`, `shell` or `nobody`.
    kind: String,
}

/// What it was done to.
#[derive(Debug, Serialize, ToSchema)]
struct Target {
    /// Its kind.
    kind: String,
    /// Its id.
    id: String,
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Id,
    at: Time,
    actor_id: Option<Id>,
    name: Option<String>,
    actor_kind: String,
    action: String,
    target_kind: String,
    target_id: String,
    address: String,
    detail: store::Json<serde_json::Value>,
}

/// Which acts.
#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
struct Filter {
    /// Only this action, such as `key.reveal`; a name that ends with a dot stands for all that begin so.
    #[param(max_length = 80)]
    action: Option<String>,
    /// Only acts of this person.
    #[param(max_length = 40)]
    actor: Option<String>,
    /// How many, 1 to 100.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<i64>,
    /// `next_cursor` of the page before.
    cursor: Option<String>,
}

/// Who did what
#[utoipa::path(get, path = "/api/v1/admin/audit", tag = "admin", params(Filter), responses(
    (status = 200, body = Items<Entry>), (status = 400, body = Problem), (status = 401, body = Problem), (status = 403, body = Problem),
    (status = 422, body = Problem)))]
async fn audit(
    State(platform): State<Platform>,
    actor: Actor,
    Query(filter): Query<Filter>,
) -> Result<Json<Items<Entry>>> {
    actor.must(Action::AuditRead, Resource::Server)?;
    let page = PageQuery {
        limit: filter.limit,
        cursor: filter.cursor,
    };
    let (limit, (at, id)) = (page.limit()?, page.after()?);
    // A range, so that the index is used: from the name to just behind everything that begins with it.
    let from = filter.action.clone();
    let to = filter
        .action
        .map(|name| if name.ends_with('.') { name + "~" } else { name });
    let rows = platform
        .db
        .read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    Row,
                    "select a.id, a.at, a.actor_id, u.name, a.actor_kind, a.action, a.target_kind, a.target_id, a.address, a.detail
                     from audit a left join users u on u.id = a.actor_id
                     where (a.at, a.id) < ($1, $2) and ($3 is null or (a.action >= $3 and a.action <= $4)) and ($5 is null or a.actor_id = $5)
                     order by a.at desc, a.id desc limit $6",
                    at,
                    id,
                    from,
                    to,
                    filter.actor,
                    limit + 1
                )
            })
        })
        .await?;
    let entries = rows.into_iter().map(Entry::from).collect();
    Ok(Json(Items::page(entries, limit, |entry: &Entry| (entry.at, &entry.id))))
}

impl From<Row> for Entry {
    fn from(row: Row) -> Self {
        Self {
            id: row.id,
            at: row.at,
            actor: Who {
                id: row.actor_id,
                name: row.name,
                kind: row.actor_kind,
            },
            action: row.action,
            target: Target {
                kind: row.target_kind,
                id: row.target_id,
            },
            address: row.address,
            detail: row.detail.0,
        }
    }
}
