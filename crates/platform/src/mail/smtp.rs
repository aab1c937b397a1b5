//! The way of a mail to the server that takes it.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};

use super::Letter;
use crate::error::{Error, Result};
use crate::secret::Secret;
use crate::settings::{Mail, MailSecurity};

/// How long the mail server may take for one answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(15);

/// The mail server, and the password there.
#[derive(Clone, Debug)]
pub struct Server {
    /// Where and how.
    pub mail: Mail,
    /// The password; none where nobody signs in.
    pub password: Option<Secret>,
}

/// Hands a mail over. What goes wrong is said in the mail server's own words.
///
/// # Errors
/// [`Error::Unavailable`] with those words, or [`Error::Invalid`] where an address is none.
pub async fn send(server: &Server, letter: &Letter) -> Result<()> {
    let message = message(server, letter)?;
    let sent = transport(server)?.send(message).await;
    sent.map(drop).map_err(|fault| {
        let mut words = fault.to_string();
        let mut source = std::error::Error::source(&fault);
        while let Some(cause) = source {
            words = format!("{words}: {cause}");
            source = cause.source();
        }
        Error::Unavailable(format!("the mail server did not take it: {words}").into())
    })
}

fn message(server: &Server, letter: &Letter) -> Result<Message> {
    let no_address = |whose: &'static str| Error::Invalid(format!("{whose} is no mail address").into());
    let from: Mailbox = server.mail.from.parse().map_err(|_| no_address("the sender"))?;
    let to = letter.to.as_str().parse().map_err(|_| no_address("the recipient"))?;
    Message::builder()
        .from(from)
        .to(Mailbox::new(None, to))
        .subject(letter.subject())
        .multipart(MultiPart::alternative_plain_html(letter.plain(), letter.html()))
        .map_err(|fault| Error::Fault(format!("a mail could not be written: {fault}")))
}

fn transport(server: &Server) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let mail = &server.mail;
    let tls = || {
        TlsParameters::new(mail.host.clone())
            .map_err(|fault| Error::Fault(format!("TLS for mail cannot be used: {fault}")))
    };
    let tls = match mail.security {
        MailSecurity::Tls => Tls::Wrapper(tls()?),
        MailSecurity::Starttls => Tls::Required(tls()?),
        MailSecurity::None => Tls::None,
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&mail.host)
        .port(mail.port)
        .timeout(Some(ANSWER_TIME_MAX))
        .tls(tls);
    if let Some(password) = server.password.as_ref().filter(|_| !mail.username.is_empty()) {
        builder = builder.credentials(Credentials::new(mail.username.clone(), password.expose().to_owned()));
    }
    Ok(builder.build())
}
