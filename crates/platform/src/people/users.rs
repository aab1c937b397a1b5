//! Accounts.

use crate::audit::Act;
use crate::authorize::{Role, SERVER, Scope};
use crate::clock::Time;
use crate::error::{Error, Result};
use crate::id::{Id, Kind};
use crate::people::email::Email;
use crate::people::passwords::Lane;
use crate::people::{passwords, profile, roles, setup};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::store::{self, Conn};
use crate::{one, optional, run};

/// An account.
#[derive(Clone, Debug, sqlx::FromRow)]
pub struct User {
    /// Who.
    pub id: Id,
    /// Their address; an erased person has none.
    pub email: Option<Email>,
    /// Since when it is known to be theirs.
    pub email_verified_at: Option<Time>,
    /// What they are called.
    pub name: String,
    /// What is kept of their password.
    pub password_hash: Option<String>,
    /// Their language.
    pub locale: String,
    /// Since when they ask to be a creator.
    pub creator_requested_at: Option<Time>,
    /// Since when they may not come in.
    pub suspended_at: Option<Time>,
    /// Why.
    pub suspended_reason: Option<String>,
    /// Since when there is the account.
    pub created_at: Time,
    /// When they last signed in.
    pub signed_in_at: Option<Time>,
    /// Since when there is nobody behind it any more.
    pub erased_at: Option<Time>,
}

/// An account to be made.
#[derive(Clone, Debug)]
pub struct New {
    /// Its address.
    pub email: Email,
    /// What the person is called.
    pub name: String,
    /// What is kept of the password; none for whoever signs in elsewhere.
    pub password_hash: Option<String>,
    /// Whether the address is known to be theirs.
    pub verified: bool,
}

/// The account of that address, in the form that is compared.
///
/// # Errors
/// Those of the database.
pub async fn by_key(conn: &mut Conn<'_>, email_key: &str) -> store::Result<Option<User>> {
    optional!(
        conn,
        User,
        "select id, email, email_verified_at, name, password_hash, locale, creator_requested_at, suspended_at, suspended_reason,
                created_at, signed_in_at, erased_at from users where email_key = $1",
        email_key
    )
}

/// The account of that id.
///
/// # Errors
/// Those of the database; [`store::Error::Missing`] where there is none.
pub async fn by_id(conn: &mut Conn<'_>, id: &Id) -> store::Result<User> {
    one!(
        conn,
        User,
        "select id, email, email_verified_at, name, password_hash, locale, creator_requested_at, suspended_at, suspended_reason,
                created_at, signed_in_at, erased_at from users where id = $1",
        id
    )
}

/// Makes an account; an address that has one is [`store::Error::Taken`].
///
/// # Errors
/// Those of the database.
pub async fn insert(conn: &mut Conn<'_>, new: &New, now: Time) -> store::Result<Id> {
    let id = Kind::User.random();
    run!(
        conn,
        "insert into users (id, email, email_key, email_verified_at, name, password_hash, locale, created_at, updated_at)
         values ($1, $2, $3, $4, $5, $6, 'en', $7, $7)",
        &id,
        new.email.as_str(),
        new.email.key(),
        new.verified.then_some(now),
        &new.name,
        &new.password_hash,
        now
    )?;
    Ok(id)
}

/// An account that somebody at the server's own shell makes.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its address, which counts as verified.
    pub email: Email,
    /// What the person is called.
    pub name: String,
    /// The password.
    pub password: Secret,
    /// What they are on the whole server; an owner is a creator as well.
    pub role: Option<Role>,
}

/// Makes an account from the shell. The first one is an owner and ends the setup.
///
/// # Errors
/// [`Error::Field`] for what is wrong with it, [`Error::Conflict`] where the address is taken or an owner must come first.
pub async fn create(platform: &Platform, account: Account) -> Result<Id> {
    account.email.check("/email")?;
    let name = profile::checked_name(&account.name)?;
    passwords::acceptable("/password", &account.password, &account.email, &name)?;
    let first = !platform.fresh_settings().await?.setup_done();
    if first && account.role != Some(Role::Owner) {
        return Err(Error::Conflict {
            code: "conflict",
            detail: "the first account must be an owner's: --role owner".into(),
        });
    }
    let new = New {
        name,
        password_hash: Some(platform.doors.hasher.hash(Lane::Known, &account.password).await?),
        email: account.email,
        verified: true,
    };
    let (now, settings) = (platform.clock.now(), platform.settings().as_ref().clone());
    let write = platform.db.write(move |c| {
        Box::pin(async move {
            let home = if first {
                Some(setup::make_home(c, "Home", settings, now).await?)
            } else {
                None
            };
            let id = insert(c, &new, now).await?;
            give(c, &id, account.role, now).await?;
            Act::by_shell("user.create", ("user", id.as_str()))
                .record(c, now)
                .await?;
            Ok((id, home))
        })
    });
    let (id, settings) = write.await?;
    if let Some(settings) = settings {
        platform.set_settings(settings);
    }
    Ok(id)
}

async fn give(conn: &mut Conn<'_>, user: &Id, role: Option<Role>, now: Time) -> store::Result<()> {
    let Some(role) = role else { return Ok(()) };
    roles::grant(conn, user, role, (Scope::Server, SERVER), None, now).await?;
    if role == Role::Owner {
        roles::grant(conn, user, Role::Creator, (Scope::Server, SERVER), None, now).await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::sign_in::{self, Browser};
    use crate::store::testing;
    use crate::testing::World;

    fn account(role: Option<Role>) -> Account {
        Account {
            email: Email::new("Ann@example.org"),
            name: "Ann".into(),
            password: Secret::new("a river runs by"),
            role,
        }
    }

    #[tokio::test]
    async fn the_first_account_from_the_shell_is_an_owner_and_ends_the_setup() {
        for db in testing::both().await {
            let world = World::on(db, false).await;
            let none = create(&world.platform, account(Some(Role::Creator))).await;
            assert!(matches!(none, Err(Error::Conflict { .. })));
            create(&world.platform, account(Some(Role::Owner))).await.unwrap();
            assert!(world.platform.settings().setup_done());
            let again = create(&world.platform, account(Some(Role::Owner))).await;
            assert_eq!(again.unwrap_err().kind().1, "taken");
            let browser = Browser {
                client: crate::testing::client(),
                user_agent: String::new(),
                device: None,
                session: None,
            };
            let (email, password) = (Email::new("ann@example.org"), Secret::new("a river runs by"));
            let signed_in = sign_in::with_password(&world.platform, &email, &password, &browser).await;
            assert!(matches!(signed_in, Ok(sign_in::Outcome::Open(_))));
        }
    }
}
