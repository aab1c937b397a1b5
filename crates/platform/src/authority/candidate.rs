use std::sync::Arc;

use hub::Name;

use crate::authorize::{Action, Subject, authorize};
use crate::directory::{self, Entry};
use crate::id::Id;
use crate::optional;
use crate::people::roles;
use crate::platform::Platform;
use crate::secret::Lookup;
use crate::settings::Creators;
use crate::store::{Conn, Result};
use crate::streams::keys::{self, Found};

/// What a publisher showed.
#[derive(Clone, Debug)]
pub(super) enum Shown {
    /// A stream key.
    Key(Lookup),
    /// A publish token that names a stream by its id.
    Stream(Name),
}

/// A stream that somebody wants to publish, with all that speaks for and against it.
#[derive(Debug)]
pub(crate) struct Candidate {
    pub(super) found: Found,
    pub(super) entry: Arc<Entry>,
    /// Whether its owner may stream at all.
    may_stream: bool,
    /// Whether the key was revoked because another took its place.
    rotated: bool,
}

impl Candidate {
    /// Why nobody may publish it now.
    pub(super) fn refusal(&self, platform: &Platform) -> Option<String> {
        if self.rotated {
            return Some("the stream key was rotated: use the new one".into());
        }
        if let Some(reason) = self.found.refusal(platform.clock.now()) {
            return Some(reason.into());
        }
        let may = self.may_stream || platform.settings().creators == Creators::All;
        (!may).then(|| "the account may not stream: ask for it on the account's page".into())
    }
}

/// What is known of what was shown.
pub(super) async fn find(platform: &Platform, shown: &Shown) -> Result<Option<Candidate>> {
    let shown = shown.clone();
    platform.db.read(|c| Box::pin(look_up(c, shown))).await
}

/// The same by the key's id.
pub(super) async fn of_key(platform: &Platform, key: Id) -> Result<Option<Candidate>> {
    platform
        .db
        .read(|c| {
            Box::pin(async move {
                match keys::judged(c, &key).await? {
                    Some(found) => complete(c, found).await,
                    None => Ok(None),
                }
            })
        })
        .await
}

async fn look_up(conn: &mut Conn<'_>, shown: Shown) -> Result<Option<Candidate>> {
    let found = match shown {
        Shown::Key(lookup) => keys::find(conn, &lookup).await?,
        Shown::Stream(stream) => of_stream(conn, stream.as_str()).await?,
    };
    match found {
        Some(found) => complete(conn, found).await,
        None => Ok(None),
    }
}

async fn complete(conn: &mut Conn<'_>, found: Found) -> Result<Option<Candidate>> {
    let Some(entry) = directory::load(conn, &found.stream_id).await? else {
        return Ok(None);
    };
    let roles = roles::of(conn, &entry.owner).await?;
    let owner = Subject {
        user: Some(&entry.owner),
        roles: &roles,
    };
    let may_stream = authorize(owner, Action::Create, entry.resource());
    let rotated = found.revoked_at.is_some() && keys::was_rotated(conn, &found).await?;
    Ok(Some(Candidate {
        may_stream,
        rotated,
        found,
        entry: Arc::new(entry),
    }))
}

/// A stream without a key, in the form of one that never ends.
async fn of_stream(conn: &mut Conn<'_>, stream: &str) -> Result<Option<Found>> {
    optional!(
        conn,
        Found,
        "select s.id as key_id, cast(null as bigint) as expires_at, cast(null as bigint) as revoked_at, s.id as stream_id,
                s.environment_id, s.owner_id, s.channel_id, s.settings, s.disabled_at, s.deleted_at, u.suspended_at, u.erased_at
         from streams s join users u on u.id = s.owner_id where s.id = $1",
        stream
    )
}

/// Whether a channel has this handle, or had it lately.
pub(super) async fn is_taken(platform: &Platform, name: &Name) -> Result<bool> {
    let (handle, now) = (name.as_str().to_ascii_lowercase(), platform.clock.now());
    platform
        .db
        .read(|c| {
            Box::pin(async move {
                let taken = optional!(
                    c,
                    (String,),
                    "select handle from channels where handle = $1 and deleted_at is null
                     union all select handle from former_handles where handle = $1 and until > $2 limit 1",
                    handle,
                    now
                )?;
                Ok(taken.is_some())
            })
        })
        .await
}
