//! The way of a mail to the server that takes it.

use std::time::Duration;

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters, TlsParametersBuilder};
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
/// [`Error::Unavailable`] with those words, or with what is wrong with its certificate; [`Error::Invalid`] where an address is none.
pub async fn send(server: &Server, letter: &Letter) -> Result<()> {
    send_over(TlsParameters::builder(server.mail.host.clone()), server, letter).await
}

async fn send_over(tls: TlsParametersBuilder, server: &Server, letter: &Letter) -> Result<()> {
    let message = message(server, letter)?;
    let sent = transport(tls, server)?.send(message).await;
    sent.map(drop)
        .map_err(|fault| Error::Unavailable(words(&fault, &server.mail.host).into()))
}

/// What went wrong: of a certificate what to do about it, of all else every cause.
fn words(fault: &(dyn std::error::Error + 'static), host: &str) -> String {
    let causes: Vec<_> = std::iter::successors(Some(fault), |fault| fault.source()).collect();
    match causes.iter().find_map(|cause| distrust(*cause)) {
        Some(why) => format!("the certificate of the mail server {host} is not trusted: {why}"),
        None => {
            let words: Vec<String> = causes.iter().map(ToString::to_string).collect();
            format!("the mail server did not take it: {}", words.join(": "))
        }
    }
}

/// What is wrong with a certificate, where that is the fault.
fn distrust(fault: &(dyn std::error::Error + 'static)) -> Option<String> {
    use rustls::CertificateError as C;
    // The TLS library hands its faults on inside those of input and output.
    let inner = fault.downcast_ref::<std::io::Error>()?.get_ref()?;
    let rustls::Error::InvalidCertificate(fault) = inner.downcast_ref()? else {
        return None;
    };
    Some(match fault {
        C::UnknownIssuer => {
            "no authority that this machine trusts has signed it; add its authority to those of the system".into()
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => "it is for another name".into(),
        C::Expired | C::ExpiredContext { .. } => "it has expired".into(),
        other => other.to_string(),
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

fn transport(tls: TlsParametersBuilder, server: &Server) -> Result<AsyncSmtpTransport<Tokio1Executor>> {
    let mail = &server.mail;
    let tls = || {
        tls.build()
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use lettre::transport::smtp::client::Certificate;
    use tokio_rustls::TlsAcceptor;

    use super::*;
    use crate::mail::Text;
    use crate::mail::testing::Sink;
    use crate::people::email::Email;

    const HOST: &str = "127.0.0.1";
    const ENCRYPTED: [MailSecurity; 2] = [MailSecurity::Tls, MailSecurity::Starttls];

    /// A mail server's side of TLS, with a certificate for [`HOST`] that nobody vouches for.
    fn encryption() -> (TlsAcceptor, Certificate) {
        let rcgen::CertifiedKey { cert, signing_key } = rcgen::generate_simple_self_signed([HOST.to_owned()]).unwrap();
        let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .unwrap();
        (
            Arc::new(config).into(),
            Certificate::from_der(cert.der().to_vec()).unwrap(),
        )
    }

    /// Sends as a machine does that trusts this certificate.
    async fn send_trusting(certificate: Certificate, server: &Server) -> Result<()> {
        let tls = TlsParameters::builder(server.mail.host.clone()).add_root_certificate(certificate);
        send_over(tls, server, &letter()).await
    }

    fn server(sink: &Sink, security: MailSecurity) -> Server {
        let mail = Mail {
            security,
            ..sink.settings()
        };
        Server { mail, password: None }
    }

    fn letter() -> Letter {
        Letter {
            to: Email::new("ann@example.org"),
            server: "Harbour".into(),
            text: Text::Test,
            link: None,
        }
    }

    async fn refused(server: &Server) -> String {
        match send(server, &letter()).await {
            Err(Error::Unavailable(words)) => words.into_owned(),
            other => panic!("{other:?}"),
        }
    }

    #[tokio::test]
    async fn a_mail_leaves_encrypted_from_the_first_byte_or_once_both_agreed() {
        for security in ENCRYPTED {
            let (tls, certificate) = encryption();
            let sink = Sink::encrypted(security, tls).await;
            send_trusting(certificate, &server(&sink, security)).await.unwrap();
            let [mail] = sink.mails().try_into().unwrap();
            assert!(mail.contains("This is how mails of Harbour arrive."), "{mail}");
        }
    }

    #[tokio::test]
    async fn a_certificate_that_is_not_trusted_is_refused_in_words() {
        for security in ENCRYPTED {
            let (tls, certificate) = encryption();
            let sink = Sink::encrypted(security, tls).await;
            let mut server = server(&sink, security);
            assert_eq!(
                refused(&server).await,
                "the certificate of the mail server 127.0.0.1 is not trusted: no authority that this machine trusts has signed it; \
                 add its authority to those of the system"
            );
            server.mail.host = "localhost".into();
            let other_name = send_trusting(certificate, &server).await.unwrap_err();
            assert_eq!(
                other_name.to_string(),
                "the certificate of the mail server localhost is not trusted: it is for another name"
            );
            assert!(sink.mails().is_empty());
        }
    }

    #[tokio::test]
    async fn a_mail_server_that_cannot_encrypt_gets_nothing_where_it_should() {
        let sink = Sink::start().await;
        for security in ENCRYPTED {
            let words = refused(&server(&sink, security)).await;
            assert!(words.starts_with("the mail server did not take it: "), "{words}");
        }
        assert!(sink.mails().is_empty());
    }
}
