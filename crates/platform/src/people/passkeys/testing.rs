//! An authenticator in software, and the browser in front of it.

use std::sync::atomic::{AtomicU32, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::secret::{Digest, random};

/// User present, user verified, backup eligible and backed up (WebAuthn §6.1).
const FLAGS: u8 = 0x01 | 0x04 | 0x08 | 0x10;
const ATTESTED: u8 = 0x40;

/// A passkey on somebody's device.
pub(crate) struct Authenticator {
    key: EcdsaKeyPair,
    credential: [u8; 16],
    handle: String,
    pub(crate) counter: AtomicU32,
    /// The page that the browser is on.
    pub(crate) origin: String,
    /// Whether it asks for a finger.
    pub(crate) flags: u8,
}

impl Authenticator {
    pub(crate) fn new() -> Self {
        Self {
            key: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING).unwrap(),
            credential: random(),
            handle: String::new(),
            counter: AtomicU32::new(0),
            origin: "https://live.example.org".into(),
            flags: FLAGS,
        }
    }

    /// `navigator.credentials.create()`.
    pub(crate) fn create(&mut self, options: &Value) -> Value {
        self.handle = options["user"]["id"].as_str().unwrap().to_owned();
        assert_eq!(options["authenticatorSelection"]["residentKey"], "required");
        let mut data = self.data(options["rp"]["id"].as_str().unwrap(), self.flags | ATTESTED);
        data.extend([0; 16]);
        data.extend([0, 16]);
        data.extend(self.credential);
        data.extend(self.public_key());
        // {"fmt": "none", "attStmt": {}, "authData": data}
        let mut object = b"\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x59".to_vec();
        object.extend((data.len() as u16).to_be_bytes());
        object.extend(data);
        json!({
            "id": base64(&self.credential), "rawId": base64(&self.credential), "type": "public-key",
            "clientExtensionResults": {},
            "response": { "attestationObject": base64(&object), "clientDataJSON": base64(&self.client_data("create", options)) },
        })
    }

    /// `navigator.credentials.get()`.
    pub(crate) fn get(&self, options: &Value) -> Value {
        self.counter.fetch_add(1, Ordering::SeqCst);
        let data = self.data(options["rpId"].as_str().unwrap(), self.flags);
        let client = self.client_data("get", options);
        let signed = [&data, Digest::of(&client).as_bytes()].concat();
        let signature = self.key.sign(&SystemRandom::new(), &signed).unwrap();
        json!({
            "id": base64(&self.credential), "rawId": base64(&self.credential), "type": "public-key",
            "clientExtensionResults": {},
            "response": {
                "authenticatorData": base64(&data), "clientDataJSON": base64(&client),
                "signature": base64(signature.as_ref()), "userHandle": self.handle,
            },
        })
    }

    /// Authenticator data without what is attested: hash of the name, flags, counter (WebAuthn §6.1).
    fn data(&self, rp: &str, flags: u8) -> Vec<u8> {
        let mut data = Digest::of(rp.as_bytes()).as_bytes().to_vec();
        data.push(flags);
        data.extend(self.counter.load(Ordering::SeqCst).to_be_bytes());
        data
    }

    /// COSE (RFC 9053 §7.1.1): {1: 2, 3: -7, -1: 1, -2: x, -3: y}
    fn public_key(&self) -> Vec<u8> {
        let point = self.key.public_key().as_ref();
        let mut key = b"\xa5\x01\x02\x03\x26\x20\x01\x21\x58\x20".to_vec();
        key.extend(&point[1..33]);
        key.extend(b"\x22\x58\x20");
        key.extend(&point[33..]);
        key
    }

    fn client_data(&self, kind: &str, options: &Value) -> Vec<u8> {
        let data = json!({
            "type": format!("webauthn.{kind}"), "challenge": options["challenge"], "origin": self.origin, "crossOrigin": false,
        });
        data.to_string().into_bytes()
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
