use std::sync::Arc;

use hub::Name;
use hub::directory::{Access, Listed};

use crate::authorize::Resource;
use crate::id::Id;
use crate::store::{Conn, Result};
use crate::{all, optional};

/// A stream as those who publish, watch and look after it must know it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    /// The name of its broadcasts in the hub: its id.
    pub(crate) name: Name,
    pub(crate) stream: Id,
    pub(crate) environment: Id,
    pub(crate) organisation: Id,
    pub(crate) owner: Id,
    pub(crate) owner_name: String,
    pub(crate) channel: Option<Id>,
    pub(crate) handle: Option<String>,
    pub(crate) title: Arc<str>,
    /// How the public list shows it.
    pub(crate) listed: Option<Listed>,
    /// The names that lead to it, and for whom.
    pub(crate) aliases: Vec<(String, Access)>,
}

impl Entry {
    /// What is asked of `authorize` about watching it where that is not for everybody.
    pub(crate) fn resource(&self) -> Resource<'_> {
        Resource::Owned {
            owner: &self.owner,
            organisation: &self.organisation,
            channel: self.channel.as_ref(),
            open: false,
        }
    }
}

#[derive(sqlx::FromRow)]
struct Row {
    id: Id,
    environment_id: Id,
    organisation_id: Id,
    owner_id: Id,
    owner_name: String,
    title: String,
    channel_id: Option<Id>,
    handle: Option<String>,
    channel_title: Option<String>,
    visibility: Option<String>,
    is_main: bool,
}

#[derive(sqlx::FromRow)]
struct PlaybackRow {
    id: Id,
    policy: String,
}

/// What is known of a stream, also of one that was deleted.
pub(crate) async fn load(conn: &mut Conn<'_>, stream: &Id) -> Result<Option<Entry>> {
    let row = optional!(
        conn,
        Row,
        "select s.id, s.environment_id, n.organisation_id, s.owner_id, u.name as owner_name, s.title, s.channel_id, c.handle,
                c.title as channel_title, c.visibility, coalesce(c.stream_id = s.id, false) as is_main
         from streams s join environments n on n.id = s.environment_id join users u on u.id = s.owner_id
         left join channels c on c.id = s.channel_id and c.deleted_at is null
         where s.id = $1",
        stream
    )?;
    let Some(row) = row else { return Ok(None) };
    let ids = all!(
        conn,
        PlaybackRow,
        "select id, policy from playback_ids where stream_id = $1 and revoked_at is null order by created_at limit 1000",
        stream
    )?;
    Ok(entry(row, ids))
}

fn entry(row: Row, ids: Vec<PlaybackRow>) -> Option<Entry> {
    let shown = row.handle.clone().filter(|_| row.is_main);
    let title: Arc<str> = row.channel_title.filter(|_| row.is_main).unwrap_or(row.title).into();
    let open = |open| if open { Access::Everybody } else { Access::Members };
    let channel_access = open(matches!(row.visibility.as_deref(), Some("public" | "unlisted")));
    let by_handle = shown.clone().map(|handle| (handle, channel_access));
    let by_id = ids.into_iter().map(|id| (id.id.into(), open(id.policy == "public")));
    let listed = shown.filter(|_| row.visibility.as_deref() == Some("public"));
    Some(Entry {
        name: Name::parse(row.id.as_str()).ok()?,
        stream: row.id,
        environment: row.environment_id,
        organisation: row.organisation_id,
        owner: row.owner_id,
        owner_name: row.owner_name,
        channel: row.channel_id,
        handle: row.handle,
        listed: listed.map(|handle| Listed {
            name: handle.into(),
            title: Some(Arc::clone(&title)),
        }),
        title,
        aliases: by_handle.into_iter().chain(by_id).collect(),
    })
}
