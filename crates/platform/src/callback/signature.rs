//! Signatures as Standard Webhooks (version 1) has them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderValue};
use sha2::Sha256;

use crate::clock::Time;
use crate::secret::Secret;

/// The three headers of a signed message.
pub(crate) fn headers(secret: &Secret, id: &str, at: Time, body: &[u8]) -> HeaderMap {
    let timestamp = at.unix_seconds().to_string();
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("webhook-id", id),
        ("webhook-timestamp", &timestamp),
        ("webhook-signature", &sign(secret, id, &timestamp, body)),
    ] {
        headers.insert(
            name,
            HeaderValue::from_str(value).expect("ids, numbers and base64 are plain"),
        );
    }
    headers
}

fn sign(secret: &Secret, id: &str, timestamp: &str, body: &[u8]) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes a key of any length");
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b".", body] {
        mac.update(part);
    }
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

fn key(secret: &Secret) -> Vec<u8> {
    let text = secret.expose();
    text.strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok())
        .unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's reference libraries.
    #[test]
    fn the_signature_is_the_one_of_the_reference_libraries() {
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let at = Time(1_614_265_330_000_000);
        let headers = headers(&secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, br#"{"test": 2432232314}"#);
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        assert_eq!(
            headers["webhook-signature"],
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }

    #[test]
    fn a_secret_that_is_not_base64_is_taken_as_it_is() {
        assert_eq!(key(&Secret::new("plain")), b"plain");
        assert_eq!(key(&Secret::new("whsec_AQI=")), [1, 2]);
    }
}
