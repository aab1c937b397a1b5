//! Who is what, where.

use crate::authorize::{Binding, Role, SERVER, Scope};
use crate::clock::Time;
use crate::id::{Id, Kind};
use crate::settings::{Creators, Settings};
use crate::store::{Conn, Result};

/// What a person is, everywhere.
///
/// # Errors
/// Those of the database.
pub async fn of(conn: &mut Conn<'_>, user: &Id) -> Result<Vec<Binding>> {
    crate::all!(
        conn,
        Binding,
        "select role, scope, scope_id from role_bindings where subject_id = $1 order by scope, scope_id, role",
        user
    )
}

/// What these roles are worth under the settings: where everybody may stream, everybody is a creator.
pub fn effective(settings: &Settings, mut roles: Vec<Binding>) -> Vec<Binding> {
    let creator = Binding {
        role: Role::Creator,
        scope: Scope::Server,
        scope_id: SERVER.into(),
    };
    if settings.creators == Creators::All && !roles.contains(&creator) {
        roles.push(creator);
    }
    roles
}

/// Gives a role; giving it twice is the same as once.
///
/// # Errors
/// Those of the database.
pub async fn grant(
    conn: &mut Conn<'_>,
    user: &Id,
    role: Role,
    (scope, scope_id): (Scope, &str),
    by: Option<&Id>,
    now: Time,
) -> Result<()> {
    crate::run!(
        conn,
        "insert into role_bindings (id, subject_id, role, scope, scope_id, created_at, created_by)
         values ($1, $2, $3, $4, $5, $6, $7) on conflict (subject_id, role, scope, scope_id) do nothing",
        Kind::Role.random(),
        user,
        role,
        scope,
        scope_id,
        now,
        by
    )
    .map(drop)
}

/// Takes a role away; says whether it was there.
///
/// # Errors
/// Those of the database.
pub async fn withdraw(conn: &mut Conn<'_>, user: &Id, role: Role, (scope, scope_id): (Scope, &str)) -> Result<bool> {
    let gone = crate::run!(
        conn,
        "delete from role_bindings where subject_id = $1 and role = $2 and scope = $3 and scope_id = $4",
        user,
        role,
        scope,
        scope_id
    )?;
    Ok(gone > 0)
}
