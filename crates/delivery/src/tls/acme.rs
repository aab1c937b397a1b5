//! One order at an authority (RFC 8555): proves the names, and comes back with a certificate.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rcgen::{CertificateParams, DistinguishedName, KeyPair};
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_acme::acme::{Account, AcmeError, Auth, AuthStatus, Directory, Identifier, Order, OrderStatus};
use tracing::debug;

use super::Error;
use super::challenges::{Challenges, Guard};

/// How long the authority may take for one answer.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(30);
/// How often it is asked again because it did not like our nonce, which it may do at any time (§6.5).
const NONCE_TRIES: usize = 5;
/// How often it is asked whether it is done.
const LOOKS_MAX: u32 = 8;
/// The pause after the first look; each is twice as long as the last, two minutes together.
const LOOK_PAUSE: Duration = Duration::from_millis(500);
/// Characters of the authority's words that are repeated.
const WORDS_MAX: usize = 300;

/// What to get a certificate for, and from whom.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AcmeSettings {
    /// The names, in lower case.
    pub names: Vec<String>,
    /// A mail address that the authority may write to.
    pub contact: Option<String>,
    /// The authority's directory, `https://…`.
    pub directory: String,
    /// A PEM file with the root by which the directory's own certificate is known; none for what browsers know.
    pub root: Option<PathBuf>,
    /// Names may be proved on the HTTPS listener (tls-alpn-01).
    pub by_tls: bool,
    /// Names may be proved on the HTTP listener (http-01).
    pub by_http: bool,
}

/// How a name is proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof {
    Tls,
    Http,
}

impl Proof {
    fn as_str(self) -> &'static str {
        match self {
            Self::Tls => "tls-alpn-01",
            Self::Http => "http-01",
        }
    }
}

impl AcmeSettings {
    /// The proofs to try, one after the other.
    pub(super) fn proofs(&self) -> impl Iterator<Item = Proof> {
        let tls = self.by_tls.then_some(Proof::Tls);
        tls.into_iter().chain(self.by_http.then_some(Proof::Http))
    }

    /// How the authority itself is known.
    ///
    /// # Errors
    /// If the root's file cannot be read.
    pub(super) fn client(&self) -> Result<Arc<ClientConfig>, Error> {
        let mut roots = RootCertStore::empty();
        match &self.root {
            None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
            Some(path) => {
                let fault = |reason: String| Error::File {
                    path: path.clone(),
                    reason,
                };
                for root in CertificateDer::pem_file_iter(path).map_err(|error| fault(error.to_string()))? {
                    roots.add(root.map_err(|error| fault(error.to_string()))?)?;
                }
            }
        }
        let config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
        let config = config.with_safe_default_protocol_versions()?;
        Ok(Arc::new(config.with_root_certificates(roots).with_no_client_auth()))
    }
}

/// A new key for our account at an authority.
pub(super) fn account_key() -> Vec<u8> {
    Account::generate_key_pair()
}

/// Our account at an authority, and the way there.
pub(super) struct Customer {
    client: Arc<ClientConfig>,
    account: Account,
    challenges: Arc<Challenges>,
}

impl Customer {
    /// Signs in, with a key that makes a new account where it is not known.
    ///
    /// # Errors
    /// If the authority cannot be reached, or refuses.
    pub(super) async fn enter(settings: &AcmeSettings, key: &[u8], challenges: Arc<Challenges>) -> Result<Self, Error> {
        let client = settings.client()?;
        let directory = patiently(|| Directory::discover(&client, &settings.directory)).await?;
        let contact: Vec<String> = settings
            .contact
            .iter()
            .map(|contact| format!("mailto:{contact}"))
            .collect();
        let account = patiently(|| Account::create_with_keypair(&client, directory.clone(), &contact, key)).await?;
        Ok(Self {
            client,
            account,
            challenges,
        })
    }

    /// Orders a certificate; returns it with its key, in PEM.
    ///
    /// # Errors
    /// If the authority cannot be reached, does not see the proof, or refuses.
    pub(super) async fn order(&self, names: &[String], proof: Proof) -> Result<String, Error> {
        let key = KeyPair::generate()?;
        let request = request(names, &key)?;
        let (url, order) = patiently(|| self.account.new_order(&self.client, names.to_vec())).await?;
        for authorization in &order.authorizations {
            self.prove(authorization, proof).await?;
        }
        let order = self
            .follow(&url, order, |status| !matches!(status, OrderStatus::Pending))
            .await?;
        let order = match order.status {
            OrderStatus::Ready => {
                let finalize = || self.account.finalize(&self.client, &order.finalize, request.as_ref());
                patiently(finalize).await?
            }
            _ => order,
        };
        let over = |status: &OrderStatus| matches!(status, OrderStatus::Valid { .. });
        let order = self.follow(&url, order, over).await?;
        let OrderStatus::Valid { certificate } = order.status else {
            return Err(Error::Authority("the order was not fulfilled in time".into()));
        };
        let chain = patiently(|| self.account.certificate(&self.client, &certificate)).await?;
        Ok(key.serialize_pem() + "\n" + &chain)
    }

    /// Proves one name.
    async fn prove(&self, url: &str, proof: Proof) -> Result<(), Error> {
        let authorization = self.authorization(url).await?;
        let Identifier::Dns(name) = &authorization.identifier;
        match authorization.status {
            AuthStatus::Valid => return Ok(()),
            AuthStatus::Pending => {}
            _ => return Err(unproved(&authorization, proof)),
        }
        let (challenge, _shown) = self.show(&authorization, name, proof)?;
        patiently(|| self.account.challenge(&self.client, &challenge)).await?;
        for look in 0..LOOKS_MAX {
            tokio::time::sleep(LOOK_PAUSE * (1 << look)).await;
            let authorization = self.authorization(url).await?;
            match authorization.status {
                AuthStatus::Valid => return Ok(()),
                AuthStatus::Pending => debug!(%name, "the authority is still looking"),
                _ => return Err(unproved(&authorization, proof)),
            }
        }
        Err(Error::Authority(format!("it did not look at {name} in time")))
    }

    /// Shows what the authority wants to see, for as long as the guard is held; returns where to say that it is there.
    fn show(&self, authorization: &Auth, name: &str, proof: Proof) -> Result<(String, Guard), Error> {
        let missing = |error: AcmeError| Error::Refused(words(&error));
        match proof {
            Proof::Tls => {
                let shown = self.account.tls_alpn_01(&authorization.challenges, name.to_owned());
                let (challenge, certificate) = shown.map_err(missing)?;
                let guard = self.challenges.show_certificate(name.to_owned(), certificate);
                Ok((challenge.url.clone(), guard))
            }
            Proof::Http => {
                let (challenge, answer) = self.account.http_01(&authorization.challenges).map_err(missing)?;
                let guard = self.challenges.show_answer(challenge.token.clone(), answer);
                Ok((challenge.url.clone(), guard))
            }
        }
    }

    async fn authorization(&self, url: &str) -> Result<Auth, Error> {
        patiently(|| self.account.auth(&self.client, url)).await
    }

    /// Looks at an order until it is as wanted, or time is up.
    async fn follow(&self, url: &str, mut order: Order, wanted: impl Fn(&OrderStatus) -> bool) -> Result<Order, Error> {
        for look in 0..LOOKS_MAX {
            if matches!(order.status, OrderStatus::Invalid) {
                let reason = order.error.and_then(|problem| problem.detail);
                return Err(Error::Refused(reason.unwrap_or_else(|| "the order is invalid".into())));
            }
            if wanted(&order.status) {
                break;
            }
            tokio::time::sleep(LOOK_PAUSE * (1 << look)).await;
            order = patiently(|| self.account.order(&self.client, url)).await?;
        }
        Ok(order)
    }
}

/// The request for a certificate, signed by the key that it will be for.
fn request(names: &[String], key: &KeyPair) -> Result<rustls::pki_types::CertificateSigningRequestDer<'static>, Error> {
    let mut params = CertificateParams::new(names)?;
    params.distinguished_name = DistinguishedName::new();
    Ok(params.serialize_request(key)?.der().clone())
}

fn unproved(authorization: &Auth, proof: Proof) -> Error {
    let Identifier::Dns(name) = &authorization.identifier;
    let said = authorization
        .challenges
        .iter()
        .find_map(|challenge| challenge.error.as_ref()?.detail.clone());
    Error::Unproved {
        name: name.clone(),
        by: proof.as_str(),
        reason: short(&said.unwrap_or_else(|| "the authority does not say why".into())),
    }
}

/// Asks within time, and again where only the nonce was wrong.
async fn patiently<T, F>(mut ask: impl FnMut() -> F) -> Result<T, Error>
where
    F: Future<Output = Result<T, AcmeError>>,
{
    for _ in 0..NONCE_TRIES {
        match tokio::time::timeout(ANSWER_TIME_MAX, ask()).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) if error.to_string().contains("acme:error:badNonce") => {}
            Ok(Err(error)) => return Err(judged(&error)),
            Err(_) => return Err(Error::Authority("it does not answer in time".into())),
        }
    }
    Err(Error::Authority("it likes none of our nonces".into()))
}

/// Whether the authority said no, or could not be asked.
fn judged(error: &AcmeError) -> Error {
    let text = error.to_string();
    match text.contains("urn:ietf:params:acme:error:") && !text.contains("acme:error:serverInternal") {
        true => Error::Refused(words(error)),
        false => Error::Authority(words(error)),
    }
}

/// The sentence of a problem document where there is one, or of the system's fault, else all of it.
fn words(error: &AcmeError) -> String {
    let text = error.to_string().replace("\\n", " ").replace("\\\"", "\"");
    let behind = |mark: &str| text.split_once(mark).and_then(|(_, rest)| rest.split('"').nth(1));
    let sentence = ["\"detail\"", " error: ", " message: "].into_iter().find_map(behind);
    short(sentence.unwrap_or(&text))
}

/// One line of printable characters.
fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(WORDS_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_authority_s_own_sentence_is_repeated() {
        let body =
            "{\n  \"type\": \"urn:ietf:params:acme:error:rateLimited\",\n  \"detail\": \"too many certificates\"\n}";
        let error = AcmeError::Io(std::io::Error::other(format!("status 429 {body:?}")));
        assert_eq!(
            judged(&error).to_string(),
            "the authority refuses: too many certificates"
        );
        let error = AcmeError::Io(std::io::Error::other("no route to host"));
        assert_eq!(
            judged(&error).to_string(),
            "cannot ask the authority: io error: no route to host"
        );
        let nested =
            "ConnectError(TcpConnect(Os { code: 111, kind: ConnectionRefused, message: \"Connection refused\" }))";
        let error = AcmeError::Io(std::io::Error::other(nested));
        assert_eq!(
            judged(&error).to_string(),
            "cannot ask the authority: Connection refused"
        );
    }

    #[test]
    fn a_root_that_is_none_is_named() {
        let settings = AcmeSettings {
            root: Some("/nowhere/root.pem".into()),
            ..AcmeSettings::default()
        };
        assert!(settings.client().unwrap_err().to_string().contains("/nowhere/root.pem"));
    }
}
