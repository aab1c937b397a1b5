//! Mails to people, with links that lead to this server and nowhere else.

use crate::error::{Error, Result};
use crate::mail::{Letter, Server, Text};
use crate::people::email::Email;
use crate::platform::Platform;
use crate::settings;

/// Whether mails are sent. Links in them begin with the server's own address: the host that a request names is anybody's to choose.
///
/// # Errors
/// [`Error::Unavailable`] where mails should be sent and that address is not known.
pub fn ready(platform: &Platform) -> Result<bool> {
    let sends = platform.settings().mail.is_some();
    if sends && platform.public_url().is_none() {
        return Err(Error::Unavailable(
            "this server cannot write links into mails before its operator sets http.public_url".into(),
        ));
    }
    Ok(sends)
}

/// The address of a page of ours.
///
/// # Errors
/// [`Error::Unavailable`] where the server's own address is not known.
pub fn url(platform: &Platform, path: &str) -> Result<String> {
    let unknown = || Error::Unavailable("set http.public_url first: links begin with it".into());
    let base = platform.public_url().ok_or_else(unknown)?;
    Ok(format!("{}{path}", base.trim_end_matches('/')))
}

/// The mail server, where there is one.
///
/// # Errors
/// Those of the database, and of a ring that did not seal the password.
pub async fn server(platform: &Platform) -> Result<Option<Server>> {
    let Some(mail) = platform.settings().mail.clone() else {
        return Ok(None);
    };
    let password = settings::mail_password(&platform.db, &platform.ring()).await?;
    Ok(Some(Server { mail, password }))
}

/// Puts a mail into the outbox; `path` is the page that its link leads to. Where no mail is sent, nothing happens.
///
/// # Errors
/// Those of [`url`] and [`server`].
pub async fn send(platform: &Platform, to: Email, text: Text, path: Option<&str>) -> Result<()> {
    let Some(server) = server(platform).await? else {
        return Ok(());
    };
    let letter = Letter {
        to,
        server: platform.settings().name.clone(),
        text,
        link: path.map(|path| url(platform, path)).transpose()?,
    };
    platform.doors.outbox.post(server, letter);
    Ok(())
}
