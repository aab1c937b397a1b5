//! The one certificate that all TLS listeners show.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use arc_swap::{ArcSwapOption, Guard};
use rustls::ServerConfig;
use rustls::crypto::aws_lc_rs;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::sync::watch;
use tracing::{info, warn};

use super::acme::{self, AcmeSettings, Customer};
use super::cache::Cache;
use super::certificate::Certificate;
use super::challenges::Challenges;
use super::files::Files;
use super::schedule::Schedule;
use super::{ACME_PROTOCOL, Error};

/// How often the files are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// The longest sleep: a clock may be set, and a machine may be asleep.
const SLEEP_MAX: Duration = Duration::from_secs(3_600);

/// Where the certificate that is shown comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// There is none.
    None,
    /// From us: browsers warn of it.
    SelfSigned,
    /// From files.
    Files,
    /// From an authority.
    Acme,
}

/// How it stands with the certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Where it comes from.
    pub kind: Kind,
    /// The names that it is for.
    pub names: Vec<String>,
    /// When it stops being valid.
    pub not_after: Option<SystemTime>,
    /// Why the last try to get or read one failed, if it did.
    pub error: Option<String>,
}

#[derive(Debug)]
struct Shown {
    kind: Kind,
    certificate: Certificate,
}

/// The certificate that all TLS listeners show, and what it is renewed from.
#[derive(Debug)]
pub struct Store {
    files: Option<Files>,
    /// Where accounts and certificates of authorities are kept.
    dir: PathBuf,
    shown: ArcSwapOption<Shown>,
    wanted: watch::Sender<Option<Arc<AcmeSettings>>>,
    challenges: Arc<Challenges>,
    error: ArcSwapOption<String>,
}

impl Store {
    /// A store of what the PEM files `(certificate chain, key)` hold, or else of what is got by [`Store::set_acme`] and then
    /// kept in `dir`.
    ///
    /// # Errors
    /// If a file cannot be read, or the two do not fit.
    pub fn open(files: Option<(PathBuf, PathBuf)>, dir: &Path) -> Result<Arc<Self>, Error> {
        let files = files.map(|(cert, key)| Files { cert, key });
        let shown = files.as_ref().map(Files::read).transpose()?.map(|certificate| {
            let kind = Kind::Files;
            Arc::new(Shown { kind, certificate })
        });
        Ok(Arc::new(Self {
            files,
            dir: dir.into(),
            shown: ArcSwapOption::new(shown),
            wanted: watch::Sender::new(None),
            challenges: Arc::default(),
            error: ArcSwapOption::empty(),
        }))
    }

    /// Gets and renews a certificate with these settings from now on, or no more. One that is kept from before is shown at
    /// once. Files go before: with them nothing changes.
    pub fn set_acme(&self, settings: Option<AcmeSettings>) {
        if let Some(kept) = settings
            .as_ref()
            .and_then(|settings| Cache::new(&self.dir, settings).certificate())
            && self.files.is_none()
        {
            self.show(Kind::Acme, kept);
        }
        self.wanted.send_replace(settings.map(Arc::new));
    }

    /// How it stands.
    pub fn status(&self) -> Status {
        let shown = self.shown();
        let facts = shown.as_ref().map(|shown| &shown.certificate.facts);
        Status {
            kind: shown.as_ref().map_or(Kind::None, |shown| shown.kind),
            names: facts.map(|facts| facts.names.clone()).unwrap_or_default(),
            not_after: facts.map(|facts| facts.not_after),
            error: self.error.load().as_ref().map(|error| error.to_string()),
        }
    }

    /// Whether browsers warn of what is shown.
    pub fn is_self_signed(&self) -> bool {
        self.shown()
            .as_ref()
            .is_some_and(|shown| shown.kind == Kind::SelfSigned)
    }

    /// Shows a self-signed certificate where there is none, until there is a better one.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn stand_in(&self) -> Result<(), Error> {
        if self.shown().is_some() {
            return Ok(());
        }
        let wanted = self.wanted.borrow().as_ref().map(|settings| settings.names.clone());
        let names = wanted.unwrap_or_else(|| vec!["localhost".into()]);
        self.show(Kind::SelfSigned, Certificate::self_signed(names)?);
        warn!("there is no certificate yet: a self-signed one is shown, of which browsers warn");
        Ok(())
    }

    /// The configuration of a listener that speaks the protocols in `alpn`, first choice first.
    ///
    /// # Errors
    /// If the crypto library refuses its own defaults.
    pub fn server_config(self: &Arc<Self>, alpn: &[&str]) -> Result<Arc<ServerConfig>, Error> {
        let mut provider = aws_lc_rs::default_provider();
        // AES-128-GCM is as safe for a broadcast as AES-256-GCM, and a third cheaper for every viewer.
        provider.cipher_suites.sort_by_key(|suite| match suite.suite() {
            rustls::CipherSuite::TLS13_AES_128_GCM_SHA256 => 0,
            rustls::CipherSuite::TLS13_AES_256_GCM_SHA384 => 1,
            rustls::CipherSuite::TLS13_CHACHA20_POLY1305_SHA256 => 2,
            _ => 3,
        });
        let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(Arc::clone(self) as Arc<dyn ResolvesServerCert>);
        config.ignore_client_order = true;
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.as_bytes().to_vec()).collect();
        if !alpn.is_empty() {
            config.alpn_protocols.push(ACME_PROTOCOL.to_vec());
        }
        config.ticketer = aws_lc_rs::Ticketer::new()?;
        Ok(Arc::new(config))
    }

    /// Takes up changed files, or gets and renews certificates. Runs until it is dropped. What fails is reported, what is
    /// shown stays, and connections that are open notice nothing.
    pub async fn run(self: Arc<Self>) {
        if let Some(files) = &self.files {
            return self.watch(files).await;
        }
        let mut wanted = self.wanted.subscribe();
        loop {
            let settings = wanted.borrow_and_update().clone();
            let renewing = async {
                match settings {
                    Some(settings) => self.renew(&settings).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = renewing => {}
                changed = wanted.changed() => changed.expect("this store holds the sender"),
            }
        }
    }

    pub(super) fn challenges(&self) -> Arc<Challenges> {
        Arc::clone(&self.challenges)
    }

    fn shown(&self) -> Guard<Option<Arc<Shown>>> {
        self.shown.load()
    }

    fn show(&self, kind: Kind, certificate: Certificate) {
        self.shown.store(Some(Arc::new(Shown { kind, certificate })));
    }

    async fn watch(&self, files: &Files) {
        let mut seen = files.stamp();
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let stamp = files.stamp();
            if stamp == seen {
                continue;
            }
            seen = stamp;
            match files.read() {
                Ok(fresh) => {
                    self.show(Kind::Files, fresh);
                    self.error.store(None);
                    info!(cert = %files.cert.display(), "certificate was read again");
                }
                Err(error) => {
                    warn!(%error, "the changed certificate cannot be used, the old one is kept");
                    self.error.store(Some(Arc::new(error.to_string())));
                }
            }
        }
    }

    /// Asks the authority whenever it is time to.
    async fn renew(&self, settings: &AcmeSettings) {
        let cache = Cache::new(&self.dir, settings);
        let mut schedule = Schedule::default();
        let mut life = cache
            .certificate()
            .map(|kept| (kept.facts.not_before, kept.facts.not_after));
        loop {
            self.sleep(&schedule, life).await;
            match self.ask(settings, &cache).await {
                Ok(certificate) => {
                    let facts = &certificate.facts;
                    life = Some((facts.not_before, facts.not_after));
                    schedule.succeeded(SystemTime::now(), life);
                    let until = facts.not_after.duration_since(SystemTime::now()).unwrap_or_default();
                    info!(names = ?facts.names, hours = until.as_secs() / 3_600, "the authority gave a certificate");
                    self.show(Kind::Acme, certificate);
                    self.error.store(None);
                }
                Err(error) => {
                    schedule.failed(&error);
                    warn!(names = ?settings.names, %error, "got no certificate, it is tried again");
                    self.error.store(Some(Arc::new(error.to_string())));
                }
            }
        }
    }

    async fn sleep(&self, schedule: &Schedule, life: Option<(SystemTime, SystemTime)>) {
        let jitter = f64::from(getrandom::u32().unwrap_or_default()) / f64::from(u32::MAX);
        let mut slept = Duration::ZERO;
        loop {
            // A pause after a failure counts from then; the time of a renewal is a date.
            let wait = schedule.wait(SystemTime::now(), life, jitter);
            let rest = if schedule.is_pausing() {
                wait.saturating_sub(slept)
            } else {
                wait
            };
            if rest.is_zero() {
                return;
            }
            let nap = rest.min(SLEEP_MAX);
            tokio::time::sleep(nap).await;
            slept += nap;
        }
    }

    /// Asks once, with each proof that is possible.
    async fn ask(&self, settings: &AcmeSettings, cache: &Cache) -> Result<Certificate, Error> {
        let key = cache.account(acme::account_key)?;
        let customer = Customer::enter(settings, &key, self.challenges()).await?;
        let mut fault = Error::Refused("no listener is there to prove a name on".into());
        for proof in settings.proofs() {
            match customer.order(&settings.names, proof).await {
                Ok(pem) => {
                    cache.keep_certificate(pem.as_bytes())?;
                    return Certificate::from_pem(pem.as_bytes());
                }
                Err(error @ Error::Unproved { .. }) => fault = error,
                Err(error) => return Err(error),
            }
        }
        Err(fault)
    }
}

impl ResolvesServerCert for Store {
    fn resolve(&self, hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        // Only an authority offers nothing but this (RFC 8737 §3).
        if hello
            .alpn()
            .is_some_and(|mut offered| offered.all(|protocol| protocol == ACME_PROTOCOL))
        {
            return self.challenges.certificate(hello.server_name()?);
        }
        self.shown().as_ref().map(|shown| Arc::clone(&shown.certificate.key))
    }
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::ServerName;
    use rustls::{ClientConfig, ClientConnection, ServerConnection};

    use super::*;

    fn write_pair(dir: &Path) -> (PathBuf, PathBuf) {
        let made = rcgen::generate_simple_self_signed(["localhost".into()]).unwrap();
        let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        (cert, key)
    }

    fn shown(store: &Store) -> Arc<CertifiedKey> {
        Arc::clone(&store.shown().as_ref().unwrap().certificate.key)
    }

    #[tokio::test(start_paused = true)]
    async fn a_changed_certificate_is_taken_up_and_a_broken_one_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let (cert, key) = write_pair(dir.path());
        let store = Store::open(Some((cert.clone(), key)), dir.path()).unwrap();
        let first = shown(&store).cert.clone();
        tokio::spawn(Arc::clone(&store).run());
        tokio::time::sleep(LOOK_EVERY / 2).await;

        let later = SystemTime::now() + Duration::from_secs(5);
        write_pair(dir.path());
        std::fs::File::open(&cert).unwrap().set_modified(later).unwrap();
        tokio::time::sleep(LOOK_EVERY).await;
        let second = shown(&store).cert.clone();
        assert_ne!(first, second);

        std::fs::write(&cert, "no certificate").unwrap();
        tokio::time::sleep(LOOK_EVERY * 2).await;
        assert_eq!(shown(&store).cert, second);
        assert!(store.status().error.unwrap().contains("cert.pem"));
    }

    #[test]
    fn a_missing_file_is_named() {
        let files = Some(("/nowhere/cert.pem".into(), "/nowhere/key.pem".into()));
        let error = Store::open(files, Path::new("/nowhere")).unwrap_err();
        assert!(error.to_string().contains("/nowhere/cert.pem"));
    }

    #[test]
    fn without_a_certificate_a_self_signed_one_is_shown() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(None, dir.path()).unwrap();
        assert_eq!(store.status().kind, Kind::None);
        store.set_acme(Some(AcmeSettings {
            names: vec!["live.example".into()],
            ..AcmeSettings::default()
        }));
        store.stand_in().unwrap();
        assert!(store.is_self_signed());
        let status = store.status();
        assert_eq!(
            (status.kind, status.names),
            (Kind::SelfSigned, vec!["live.example".to_owned()])
        );
    }

    #[test]
    fn a_certificate_that_was_kept_is_shown_at_once() {
        let dir = tempfile::tempdir().unwrap();
        let settings = AcmeSettings {
            names: vec!["live.example".into()],
            directory: "https://authority.example/".into(),
            ..AcmeSettings::default()
        };
        let made = rcgen::generate_simple_self_signed(settings.names.clone()).unwrap();
        let pem = made.signing_key.serialize_pem() + &made.cert.pem();
        Cache::new(dir.path(), &settings)
            .keep_certificate(pem.as_bytes())
            .unwrap();
        let store = Store::open(None, dir.path()).unwrap();
        store.set_acme(Some(settings.clone()));
        assert_eq!(store.status().kind, Kind::Acme);

        let (cert, key) = write_pair(dir.path());
        let store = Store::open(Some((cert, key)), dir.path()).unwrap();
        store.set_acme(Some(settings));
        assert_eq!(store.status().kind, Kind::Files, "files go before");
    }

    /// Shakes hands; returns what both speak and whose certificate the client saw, or nothing.
    fn shake_hands(store: &Arc<Store>, alpn: &[&[u8]]) -> Option<(Option<Vec<u8>>, Vec<u8>)> {
        let verifier = Arc::new(danger::Anything);
        let mut config = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
            .with_safe_default_protocol_versions()
            .unwrap()
            .dangerous()
            .with_custom_certificate_verifier(verifier)
            .with_no_client_auth();
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        let name = ServerName::try_from("live.example").unwrap();
        let mut client = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut server = ServerConnection::new(store.server_config(&["h2", "http/1.1"]).unwrap()).unwrap();
        while client.is_handshaking() || server.is_handshaking() {
            let mut wire = Vec::new();
            client.write_tls(&mut wire).unwrap();
            server.read_tls(&mut wire.as_slice()).unwrap();
            server.process_new_packets().ok()?;
            let mut wire = Vec::new();
            server.write_tls(&mut wire).unwrap();
            client.read_tls(&mut wire.as_slice()).unwrap();
            client.process_new_packets().ok()?;
        }
        let seen = client.peer_certificates().unwrap()[0].to_vec();
        Some((server.alpn_protocol().map(<[u8]>::to_vec), seen))
    }

    #[test]
    fn only_who_speaks_acme_alone_sees_the_proof() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(None, dir.path()).unwrap();
        store.stand_in().unwrap();
        let proof = Certificate::self_signed(vec!["live.example".into()]).unwrap();
        assert_eq!(shake_hands(&store, &[ACME_PROTOCOL]), None, "nothing is to be proved");

        let guard = store
            .challenges
            .show_certificate("live.example".into(), (*proof.key).clone());
        let (protocol, seen) = shake_hands(&store, &[ACME_PROTOCOL]).unwrap();
        assert_eq!(
            (protocol.as_deref(), &seen),
            (Some(ACME_PROTOCOL), &proof.key.cert[0].to_vec())
        );
        let usual = shown(&store).cert[0].to_vec();
        let http = Some(b"http/1.1".to_vec());
        assert_eq!(
            shake_hands(&store, &[ACME_PROTOCOL, b"http/1.1"]),
            Some((http, usual.clone()))
        );
        assert_eq!(shake_hands(&store, &[]), Some((None, usual)));
        drop(guard);
        assert_eq!(shake_hands(&store, &[ACME_PROTOCOL]), None);
    }

    mod danger {
        use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
        use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
        use rustls::{DigitallySignedStruct, Error, SignatureScheme};

        #[derive(Debug)]
        pub(super) struct Anything;

        impl ServerCertVerifier for Anything {
            fn verify_server_cert(
                &self,
                _: &CertificateDer<'_>,
                _: &[CertificateDer<'_>],
                _: &ServerName<'_>,
                _: &[u8],
                _: UnixTime,
            ) -> Result<ServerCertVerified, Error> {
                Ok(ServerCertVerified::assertion())
            }

            fn verify_tls12_signature(
                &self,
                _: &[u8],
                _: &CertificateDer<'_>,
                _: &DigitallySignedStruct,
            ) -> Result<HandshakeSignatureValid, Error> {
                Ok(HandshakeSignatureValid::assertion())
            }

            fn verify_tls13_signature(
                &self,
                _: &[u8],
                _: &CertificateDer<'_>,
                _: &DigitallySignedStruct,
            ) -> Result<HandshakeSignatureValid, Error> {
                Ok(HandshakeSignatureValid::assertion())
            }

            fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
                vec![SignatureScheme::ECDSA_NISTP256_SHA256]
            }
        }
    }
}
