//! Tokens that are good, and every way in which one tries to look so.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, encode};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ED25519, PKCS_RSA_SHA256, RsaKeySize};
use serde_json::{Value, json};

use super::*;
use crate::clock::Time;
use crate::outbound::testing::{Server, answer, local};

const NOW: i64 = 1_800_000_000;

/// Somebody who signs.
struct Signer {
    algorithm: Algorithm,
    key: EncodingKey,
    jwk: Value,
}

impl Signer {
    fn new(id: &str, algorithm: Algorithm) -> Self {
        let pair = match algorithm {
            Algorithm::ES256 => KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256),
            Algorithm::EdDSA => KeyPair::generate_for(&PKCS_ED25519),
            _ => KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048),
        }
        .unwrap();
        let pem = pair.serialize_pem();
        let key = match algorithm {
            Algorithm::ES256 => EncodingKey::from_ec_pem(pem.as_bytes()),
            Algorithm::EdDSA => EncodingKey::from_ed_pem(pem.as_bytes()),
            _ => EncodingKey::from_rsa_pem(pem.as_bytes()),
        }
        .unwrap();
        let mut jwk = match algorithm {
            Algorithm::EdDSA => {
                json!({"kty": "OKP", "crv": "Ed25519", "alg": "EdDSA", "x": URL_SAFE_NO_PAD.encode(pair.public_key_raw())})
            }
            _ => serde_json::to_value(Jwk::from_encoding_key(&key, algorithm).unwrap()).unwrap(),
        };
        jwk["kid"] = id.into();
        jwk["use"] = "sig".into();
        Self { algorithm, key, jwk }
    }

    fn header(&self) -> Header {
        let mut header = Header::new(self.algorithm);
        header.kid = self.jwk["kid"].as_str().map(Into::into);
        header
    }

    fn sign(&self, claims: &Value) -> String {
        encode(&self.header(), claims, &self.key).unwrap()
    }
}

fn claims() -> Value {
    json!({"exp": NOW + 600, "sub": "ada"})
}

/// The claims with others on top; null takes one away.
fn with(changes: &Value) -> Value {
    let mut claims = claims();
    for (name, value) in changes.as_object().unwrap() {
        match value {
            Value::Null => drop(claims.as_object_mut().unwrap().remove(name)),
            value => claims[name] = value.clone(),
        }
    }
    claims
}

async fn serving(signers: &[&Signer]) -> Server {
    let keys: Vec<_> = signers.iter().map(|signer| &signer.jwk).collect();
    Server::saying(&answer("200 OK", "", &json!({ "keys": keys }).to_string())).await
}

fn reader(server: &Server, issuer: Option<&str>, audience: Option<&str>) -> PublishTokens {
    let options = Options {
        jwks: server.url("/jwks.json"),
        issuer: issuer.map(Into::into),
        audience: audience.map(Into::into),
    };
    PublishTokens::new(local(), Clock::manual(Time(NOW * 1_000_000)), options)
}

fn refused(outcome: &Result<Name, Error>) -> bool {
    matches!(outcome, Err(Error::Refused(_)))
}

#[tokio::test]
async fn each_accepted_algorithm_lets_its_bearer_publish() {
    for algorithm in ALGORITHMS {
        let signer = Signer::new("k", algorithm);
        let server = serving(&[&signer]).await;
        let tokens = reader(&server, None, None);
        assert_eq!(
            tokens.read(&signer.sign(&claims())).await.unwrap().as_str(),
            "ada",
            "{algorithm:?}"
        );
        let named = with(&json!({"stream": "lin"}));
        assert_eq!(tokens.read(&signer.sign(&named)).await.unwrap().as_str(), "lin");
    }
}

#[tokio::test]
async fn claims_are_held_to_their_word() {
    let signer = Signer::new("k", Algorithm::ES256);
    let server = serving(&[&signer]).await;
    let plain = reader(&server, None, None);
    let strict = reader(&server, Some("https://id.test"), Some("headwater"));
    let right = json!({"iss": "https://id.test", "aud": ["other", "headwater"]});
    for (changes, by_plain, by_strict) in [
        (json!({}), true, false),
        (right.clone(), false, true),
        (json!({"iss": "https://id.test", "aud": "headwater"}), false, true),
        (json!({"iss": "https://id.test", "aud": "other"}), false, false),
        (json!({"iss": "https://id.test"}), true, false),
        (json!({"iss": "https://evil.test", "aud": "headwater"}), false, false),
        (json!({"aud": "headwater"}), false, false),
        (json!({"iss": 7, "aud": "headwater"}), false, false),
        (json!({"iss": "https://id.test", "aud": {}}), false, false),
        (json!({"aud": []}), false, false),
        // Times.
        (json!({"exp": null}), false, false),
        (json!({"exp": "tomorrow"}), false, false),
        (json!({"exp": NOW - 29}), true, false),
        (json!({"exp": NOW - 30}), false, false),
        (json!({"exp": NOW as f64 + 0.5}), true, false),
        (json!({"exp": NOW + 86_430}), true, false),
        (json!({"exp": NOW + 86_431}), false, false),
        (json!({"exp": 1e300}), false, false),
        (json!({"exp": -1}), false, false),
        (json!({"nbf": NOW + 30}), true, false),
        (json!({"nbf": NOW + 31}), false, false),
        (json!({"nbf": "soon"}), false, false),
        // Names.
        (json!({"sub": null}), false, false),
        (json!({"sub": "../x"}), false, false),
        (json!({"sub": ""}), false, false),
        (json!({"stream": "a/b"}), false, false),
        (json!({"sub": 5}), false, false),
    ] {
        let token = signer.sign(&with(&changes));
        assert_eq!(
            plain.read(&token).await.is_ok(),
            by_plain,
            "{changes}: {:?}",
            plain.read(&token).await
        );
        assert_eq!(
            strict.read(&token).await.is_ok(),
            by_strict,
            "{changes}: {:?}",
            strict.read(&token).await
        );
    }
    let strict_and_late = with(&json!({"iss": "https://id.test", "aud": "headwater", "exp": NOW - 31}));
    assert!(refused(&strict.read(&signer.sign(&strict_and_late)).await));
}

/// A token with this header, signed by `key` with its header's algorithm where the library would refuse to.
fn forged(header: &Value, claims: &Value, signature: &[u8]) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    format!(
        "{}.{}.{}",
        part(header),
        part(claims),
        URL_SAFE_NO_PAD.encode(signature)
    )
}

fn hmac(secret: &[u8], header: &Value, claims: &Value) -> String {
    use hmac::{Hmac, KeyInit, Mac};
    let unsigned = forged(header, claims, b"");
    let signed = unsigned.trim_end_matches('.');
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(secret).unwrap();
    mac.update(signed.as_bytes());
    format!("{signed}.{}", URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[tokio::test]
async fn no_forged_token_is_taken() {
    let rsa = Signer::new("rsa", Algorithm::RS256);
    let mut ec = Signer::new("ec", Algorithm::ES256);
    let stranger = Signer::new("rsa", Algorithm::RS256);
    let thief = Signer::new("ec", Algorithm::EdDSA);
    // A set may hold a symmetric key by mistake, and keys for other uses.
    let mut for_encryption = Signer::new("enc", Algorithm::RS256);
    for_encryption.jwk["use"] = "enc".into();
    let symmetric = json!({"kty": "oct", "kid": "oct", "k": URL_SAFE_NO_PAD.encode("shared")});
    let body = json!({"keys": [rsa.jwk, ec.jwk, for_encryption.jwk, symmetric, {"kty": "new"}, 7]}).to_string();
    let server = Server::saying(&answer("200 OK", "", &body)).await;
    let evil = serving(&[&stranger]).await;
    let tokens = reader(&server, None, None);
    assert!(tokens.read(&rsa.sign(&claims())).await.is_ok());

    let modulus = URL_SAFE_NO_PAD.decode(rsa.jwk["n"].as_str().unwrap()).unwrap();
    let good = ec.sign(&claims());
    let (head, rest) = good.split_once('.').unwrap();
    let (body, signature) = rest.split_once('.').unwrap();
    let other_body = URL_SAFE_NO_PAD.encode(with(&json!({"sub": "victim"})).to_string());
    let mut flipped = URL_SAFE_NO_PAD.decode(signature).unwrap();
    flipped[9] ^= 1;
    let pointing = |name: &str, value: Value| {
        let mut header = serde_json::to_value(stranger.header()).unwrap();
        header[name] = value;
        let signed = stranger.sign(&claims());
        let signature = signed.rsplit('.').next().unwrap();
        forged(&header, &claims(), &URL_SAFE_NO_PAD.decode(signature).unwrap())
    };
    let mut own_key = stranger.header();
    own_key.jwk = Some(serde_json::from_value(stranger.jwk.clone()).unwrap());
    let mut own_address = stranger.header();
    own_address.jku = Some(evil.url("/jwks.json").into());
    own_address.x5u = own_address.jku.clone();
    let mut critical = rsa.header();
    critical.crit = Some(vec!["exp".into()]);
    let mut pss_of_es = ec.header();
    pss_of_es.alg = Algorithm::PS256;

    let attacks = [
        (
            "no signature",
            forged(&json!({"alg": "none", "kid": "rsa"}), &claims(), b""),
        ),
        (
            "none in capitals",
            forged(&json!({"alg": "nOnE", "kid": "rsa"}), &claims(), b"x"),
        ),
        (
            "an empty signature",
            forged(&json!({"alg": "RS256", "kid": "rsa"}), &claims(), b""),
        ),
        (
            "the public key as a secret",
            hmac(&modulus, &json!({"alg": "HS256", "kid": "rsa"}), &claims()),
        ),
        (
            "the modulus' text as a secret",
            hmac(
                rsa.jwk["n"].as_str().unwrap().as_bytes(),
                &json!({"alg": "HS256", "kid": "rsa"}),
                &claims(),
            ),
        ),
        (
            "a symmetric key of the set",
            hmac(b"shared", &json!({"alg": "HS256", "kid": "oct"}), &claims()),
        ),
        (
            "an empty secret",
            hmac(b"", &json!({"alg": "HS256", "kid": "rsa"}), &claims()),
        ),
        ("a stranger's key under a known name", stranger.sign(&claims())),
        ("another kind of key under a known name", thief.sign(&claims())),
        (
            "a key in the token",
            encode(&own_key, &claims(), &stranger.key).unwrap(),
        ),
        (
            "an address of keys in the token",
            encode(&own_address, &claims(), &stranger.key).unwrap(),
        ),
        ("a certificate in the token", pointing("x5c", json!(["AAAA"]))),
        ("a path as the key's name", pointing("kid", json!("../../dev/null"))),
        ("an unknown key", pointing("kid", json!("nobody"))),
        (
            "no key's name among several",
            encode(&Header::new(Algorithm::RS256), &claims(), &rsa.key).unwrap(),
        ),
        ("a key for encryption", for_encryption.sign(&claims())),
        ("an algorithm the key is not for", {
            let mut header = rsa.header();
            header.alg = Algorithm::PS256;
            encode(&header, &claims(), &rsa.key).unwrap()
        }),
        ("a longer hash", {
            let mut header = rsa.header();
            header.alg = Algorithm::RS512;
            encode(&header, &claims(), &rsa.key).unwrap()
        }),
        (
            "an elliptic key as RSA",
            forged(&serde_json::to_value(&pss_of_es).unwrap(), &claims(), &[7; 256]),
        ),
        ("a demanded extension", encode(&critical, &claims(), &rsa.key).unwrap()),
        ("a changed body", format!("{head}.{other_body}.{signature}")),
        (
            "a changed signature",
            format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode(&flipped)),
        ),
        (
            "a signature of zeros",
            format!("{head}.{body}.{}", URL_SAFE_NO_PAD.encode([0; 64])),
        ),
        ("a padded signature", format!("{good}==")),
        ("four parts", format!("{good}.{signature}")),
        ("five parts", "eyJ.a.b.c.d".into()),
        ("two parts", format!("{head}.{body}")),
        ("a claim said twice", {
            let twice = format!(r#"{{"exp":{},"sub":"ada","sub":"victim"}}"#, NOW + 9);
            format!("{head}.{}.{signature}", URL_SAFE_NO_PAD.encode(twice))
        }),
        ("nothing", String::new()),
        ("a stream key", "live_k3y".into()),
    ];
    for (what, token) in &attacks {
        let outcome = tokens.read(token).await;
        assert!(refused(&outcome), "{what}: {outcome:?}");
    }
    assert_eq!(evil.count(), 0);
    ec.jwk["alg"] = "ES384".into();
    assert!(refused(&reader(&serving(&[&ec]).await, None, None).read(&good).await));
}

#[tokio::test]
async fn a_token_without_a_keys_name_is_taken_for_the_only_key() {
    let signer = Signer::new("k", Algorithm::ES256);
    let server = serving(&[&signer]).await;
    let token = encode(&Header::new(Algorithm::ES256), &claims(), &signer.key).unwrap();
    assert!(reader(&server, None, None).read(&token).await.is_ok());
}

#[tokio::test(start_paused = true)]
async fn keys_are_fetched_again_for_an_unknown_one_but_at_most_once_a_minute() {
    let (old, new) = (
        Signer::new("old", Algorithm::ES256),
        Signer::new("new", Algorithm::ES256),
    );
    let keys = Arc::new(Mutex::new(vec![old.jwk.clone()]));
    let shown = Arc::clone(&keys);
    let server = Server::start(move |_| {
        let keys = shown.lock().unwrap().clone();
        Some(answer("200 OK", "", &json!({ "keys": keys }).to_string()))
    })
    .await;
    let tokens = reader(&server, None, None);
    let (of_old, of_new) = (old.sign(&claims()), new.sign(&claims()));
    assert!(tokens.read(&of_old).await.is_ok());
    for _ in 0..100 {
        assert!(refused(&tokens.read(&of_new).await));
    }
    assert_eq!(server.count(), 1);

    // The signer rotates: within a minute its new key is known.
    *keys.lock().unwrap() = vec![new.jwk.clone()];
    tokio::time::advance(keys::AGAIN_AFTER).await;
    assert!(tokens.read(&of_new).await.is_ok());
    assert_eq!(server.count(), 2);
    assert!(refused(&tokens.read(&of_old).await));

    // A key that is withdrawn goes when the set is old.
    keys.lock().unwrap().clear();
    assert!(tokens.read(&of_new).await.is_ok());
    tokio::time::advance(keys::FRESH).await;
    assert!(refused(&tokens.read(&of_new).await));
    assert_eq!(server.count(), 3);
}

#[tokio::test(start_paused = true)]
async fn a_dead_address_leaves_the_known_keys_in_force() {
    let signer = Signer::new("k", Algorithm::ES256);
    let token = signer.sign(&claims());
    let body = json!({ "keys": [signer.jwk] }).to_string();
    let alive = Arc::new(Mutex::new(false));
    let lives = Arc::clone(&alive);
    let server = Server::start(move |_| {
        let status = if *lives.lock().unwrap() {
            "200 OK"
        } else {
            "503 Service Unavailable"
        };
        Some(answer(status, "", &body))
    })
    .await;
    let tokens = reader(&server, None, None);
    assert_eq!(tokens.read(&token).await, Err(Error::Unavailable));
    assert_eq!(tokens.read(&token).await, Err(Error::Unavailable));
    assert_eq!(server.count(), 1);
    *alive.lock().unwrap() = true;
    tokio::time::advance(Duration::from_secs(5)).await;
    assert!(tokens.read(&token).await.is_ok());
    *alive.lock().unwrap() = false;
    tokio::time::advance(keys::FRESH).await;
    assert!(tokens.read(&token).await.is_ok());
    assert_eq!(server.count(), 3);
}

#[tokio::test]
async fn many_publishers_at_once_fetch_the_keys_once() {
    let signer = Signer::new("k", Algorithm::EdDSA);
    let server = serving(&[&signer]).await;
    let tokens = Arc::new(reader(&server, None, None));
    let token = signer.sign(&claims());
    let mut tasks = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let (tokens, token) = (Arc::clone(&tokens), token.clone());
        tasks.spawn(async move { tokens.read(&token).await });
    }
    assert!(tasks.join_all().await.iter().all(Result::is_ok));
    assert_eq!(server.count(), 1);
}

#[test]
fn a_stream_key_does_not_look_like_a_token() {
    assert!(looks_like_token("eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJhIn0.c2ln"));
    for key in [
        "colors",
        "live_k3y",
        "a.b.c",
        "eyJ.x",
        "ey..x",
        "eyJ.x.y z",
        "eyJ.x.y.z",
    ] {
        assert!(!looks_like_token(key), "{key}");
    }
}
