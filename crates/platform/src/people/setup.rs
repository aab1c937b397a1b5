//! The first start: a link that is printed on the console makes the first account, and with it everything that must be there.

use serde_json::json;

use crate::actor::Client;
use crate::audit::Act;
use crate::authorize::{Role, SERVER, Scope};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::people::{links, roles, users};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::settings::{self, Home, Settings};
use crate::store::{self, Conn, Json};
use crate::{optional, run};

/// The path of the page that sets the server up, with its secret; `None` once there is an owner. It stays the same until it is used.
///
/// # Errors
/// Those of the database.
pub async fn link(platform: &Platform) -> Result<Option<Secret>> {
    if platform.fresh_settings().await?.setup_done() {
        return Ok(None);
    }
    let (ring, now) = (platform.ring(), platform.clock.now());
    let secret = platform.db.write(move |c| {
        Box::pin(async move {
            let there = optional!(
                c,
                links::Link,
                "select id, kind, user_id, email, detail, created_by, created_at, expires_at, sealed from links
                 where kind = 'setup' and used_at is null and expires_at > $1 order by created_at desc limit 1",
                now
            )?;
            // One that this ring did not seal cannot be printed again.
            if let Some(secret) = there.and_then(|link| link.secret(&ring).ok()) {
                return Ok(secret);
            }
            let new = links::New {
                kind: links::Kind::Setup,
                user: None,
                email: None,
                detail: links::Detail::default(),
                by: None,
                lifetime: links::Kind::Setup.lifetime(),
            };
            Ok(links::create(c, &ring, new, now).await?.1)
        })
    });
    Ok(Some(Secret::new(links::Kind::Setup.path(&secret.await?))))
}

/// Refuses a secret that does not set the server up.
///
/// # Errors
/// [`Error::Gone`].
pub async fn check(platform: &Platform, token: &Secret) -> Result<()> {
    let (token, now) = (token.clone(), platform.clock.now());
    let done = platform.fresh_settings().await?.setup_done();
    let found = platform
        .db
        .read(|c| Box::pin(async move { links::find(c, links::Kind::Setup, &token, now).await }))
        .await?;
    if done || found.is_none() {
        return Err(gone());
    }
    Ok(())
}

fn gone() -> Error {
    Error::Gone(
        "this setup link is not good any more: `headwater setup-link` prints one while there is no owner".into(),
    )
}

/// What setup asks for, checked.
#[derive(Clone, Debug)]
pub struct Setup {
    /// The first account.
    pub owner: users::New,
    /// What the first organisation is called.
    pub organisation: String,
    /// The settings.
    pub settings: Settings,
    /// The password of the mail server.
    pub mail_password: Option<Secret>,
}

/// Sets the server up. Of two who try at once, one does.
///
/// # Errors
/// [`Error::Gone`] where somebody else was first.
pub async fn finish(platform: &Platform, token: &Secret, setup: Setup, client: &Client) -> Result<Id> {
    let (token, address) = (token.clone(), client.address.to_string());
    let (ring, now) = (platform.ring(), platform.clock.now());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            if links::take(c, links::Kind::Setup, &token, now).await?.is_none() {
                return Err(gone().into());
            }
            let settings = make_home(c, &setup.organisation, setup.settings, now).await?;
            if let Some(password) = &setup.mail_password {
                settings::save_mail_password(c, &ring, password, now).await?;
            }
            let owner = users::insert(c, &setup.owner, now).await?;
            for role in [Role::Owner, Role::Creator] {
                roles::grant(c, &owner, role, (Scope::Server, SERVER), None, now).await?;
            }
            act(&owner, address, &settings).record(c, now).await?;
            Ok((owner, settings))
        })
    });
    let (owner, settings) = write.await?;
    platform.set_settings(settings);
    Ok(owner)
}

fn act(owner: &Id, address: String, settings: &Settings) -> Act {
    Act {
        environment: settings.home.as_ref().map(|home| home.environment.clone()),
        actor: Some(owner.clone()),
        actor_kind: "user",
        action: "server.setup",
        target: ("user", owner.to_string()),
        address,
        detail: json!({"sign_up": settings.sign_up, "creators": settings.creators}),
    }
}

/// Makes the organisation and environment that everything belongs to, and saves the settings with them. There is one home: a second
/// try, even at the same moment, is [`Error::Gone`].
///
/// # Errors
/// [`Error::Gone`], and those of the database.
pub async fn make_home(
    conn: &mut Conn<'_>,
    organisation: &str,
    settings: Settings,
    now: Time,
) -> store::Result<Settings> {
    let home = Home {
        organisation: Kind::Organisation.random(),
        environment: Kind::Environment.random(),
    };
    // The row's name is unique: whoever comes second waits for the first here, and then fails.
    let only = run!(
        conn,
        "insert into settings (name, value, updated_at) values ('home', $1, $2)",
        Json(&home),
        now
    );
    match only {
        Err(store::Error::Taken(_)) => return Err(gone().into()),
        other => other?,
    };
    run!(
        conn,
        "insert into organisations (id, name, created_at) values ($1, $2, $3)",
        &home.organisation,
        organisation,
        now
    )?;
    run!(
        conn,
        "insert into environments (id, organisation_id, name, created_at) values ($1, $2, 'Live', $3)",
        &home.environment,
        &home.organisation,
        now
    )?;
    run!(conn, "delete from links where kind = 'setup'")?;
    let settings = Settings {
        home: Some(home),
        ..settings
    };
    settings::save(conn, &settings, None, now).await?;
    Ok(settings)
}
