//! Every route with somebody's id in its path, tried with ids of somebody else and of another environment. The routes are those of the
//! document: one that is not in the table here fails the test.

use std::collections::BTreeMap;
use std::io::Cursor;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::channels::{self, NewChannel};
use crate::id::{Id, Kind};
use crate::run;
use crate::store::Json;
use crate::streams::keys::Making;
use crate::testing::{Answer, Person, World};

/// Stands in every text of Ada's: where it is answered to Eve, something of Ada's was.
const CANARY: &str = "of nobody else's business";

/// Whose the things of a route are, and what makes a request of it whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whose {
    /// Of the owner of a channel or stream, who succeeds with it.
    Owners(Sent),
    /// The same, with an answer that goes on for ever.
    OwnersEndless,
    /// Of a person who is signed in, and who succeeds with it.
    Persons(Sent),
    /// Of those who run the server.
    Servers(Sent),
    /// Nobody's: the address itself is a secret or public, and shows nothing but what it is of.
    Nobodys,
}

/// The body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sent {
    Nothing,
    Json(&'static str),
    Picture,
}

#[rustfmt::skip]
const ROUTES: &[(&str, &str, Whose)] = &[
    ("get", "/api/v1/channels/{channel}", Whose::Owners(Sent::Nothing)),
    ("patch", "/api/v1/channels/{channel}", Whose::Owners(Sent::Json(r#"{"title": "Mine"}"#))),
    ("delete", "/api/v1/channels/{channel}", Whose::Owners(Sent::Nothing)),
    ("put", "/api/v1/channels/{channel}/avatar", Whose::Owners(Sent::Picture)),
    ("delete", "/api/v1/channels/{channel}/avatar", Whose::Owners(Sent::Nothing)),
    ("put", "/api/v1/channels/{channel}/banner", Whose::Owners(Sent::Picture)),
    ("delete", "/api/v1/channels/{channel}/banner", Whose::Owners(Sent::Nothing)),
    ("get", "/api/v1/channels/{channel}/members", Whose::Owners(Sent::Nothing)),
    ("post", "/api/v1/channels/{channel}/members", Whose::Owners(Sent::Json(r#"{"email": "eve@example.org", "role": "viewer"}"#))),
    ("delete", "/api/v1/channels/{channel}/members/{user}", Whose::Owners(Sent::Nothing)),
    ("get", "/api/v1/images/{image}", Whose::Nobodys),
    ("get", "/api/v1/streams/{stream}", Whose::Owners(Sent::Nothing)),
    ("patch", "/api/v1/streams/{stream}", Whose::Owners(Sent::Json(r#"{"title": "Mine"}"#))),
    ("delete", "/api/v1/streams/{stream}", Whose::Owners(Sent::Nothing)),
    ("post", "/api/v1/streams/{stream}/disable", Whose::Owners(Sent::Json("{}"))),
    ("post", "/api/v1/streams/{stream}/enable", Whose::Owners(Sent::Json("{}"))),
    ("post", "/api/v1/streams/{stream}/stop", Whose::Owners(Sent::Json("{}"))),
    ("get", "/api/v1/streams/{stream}/status", Whose::Owners(Sent::Nothing)),
    ("get", "/api/v1/streams/{stream}/watch", Whose::OwnersEndless),
    ("post", "/api/v1/streams/{stream}/ladder/preview", Whose::Owners(Sent::Json("{}"))),
    ("get", "/api/v1/streams/{stream}/events", Whose::Owners(Sent::Nothing)),
    ("get", "/api/v1/streams/{stream}/broadcasts", Whose::Owners(Sent::Nothing)),
    ("get", "/api/v1/streams/{stream}/health", Whose::Owners(Sent::Nothing)),
    ("post", "/api/v1/streams/{stream}/playback-ids", Whose::Owners(Sent::Json(r#"{"policy": "private"}"#))),
    ("delete", "/api/v1/streams/{stream}/playback-ids/{playback_id}", Whose::Owners(Sent::Nothing)),
    ("get", "/api/v1/streams/{stream}/keys", Whose::Owners(Sent::Nothing)),
    ("post", "/api/v1/streams/{stream}/keys", Whose::Owners(Sent::Json(r#"{"name": "Mine"}"#))),
    ("post", "/api/v1/streams/{stream}/keys/{key}/reveal", Whose::Owners(Sent::Json("{}"))),
    ("post", "/api/v1/streams/{stream}/keys/{key}/rotate", Whose::Owners(Sent::Json("{}"))),
    ("delete", "/api/v1/streams/{stream}/keys/{key}", Whose::Owners(Sent::Nothing)),
    ("delete", "/api/v1/me/sessions/{id}", Whose::Persons(Sent::Nothing)),
    ("patch", "/api/v1/me/passkeys/{id}", Whose::Persons(Sent::Json(r#"{"name": "Mine"}"#))),
    ("delete", "/api/v1/me/passkeys/{id}", Whose::Persons(Sent::Nothing)),
    ("delete", "/api/v1/me/tokens/{id}", Whose::Persons(Sent::Nothing)),
    ("delete", "/api/v1/me/identities/{id}", Whose::Persons(Sent::Nothing)),
    ("get", "/api/v1/admin/users/{id}", Whose::Servers(Sent::Nothing)),
    ("patch", "/api/v1/admin/users/{id}", Whose::Servers(Sent::Json("{}"))),
    ("post", "/api/v1/admin/users/{id}/suspend", Whose::Servers(Sent::Json(r#"{"reason": "Spam"}"#))),
    ("post", "/api/v1/admin/users/{id}/restore", Whose::Servers(Sent::Json("{}"))),
    ("post", "/api/v1/admin/users/{id}/reset-link", Whose::Servers(Sent::Json("{}"))),
    ("delete", "/api/v1/admin/invitations/{id}", Whose::Servers(Sent::Nothing)),
    ("post", "/api/v1/admin/live/{broadcast}/stop", Whose::Servers(Sent::Json(r#"{"reason": "Spam"}"#))),
    ("patch", "/api/v1/admin/providers/{id}", Whose::Servers(Sent::Json("{}"))),
    ("delete", "/api/v1/admin/providers/{id}", Whose::Servers(Sent::Nothing)),
    ("get", "/api/v1/auth/invitations/{token}", Whose::Nobodys),
    ("get", "/api/v1/auth/oidc/{slug}/start", Whose::Nobodys),
    ("get", "/api/v1/auth/oidc/{slug}/callback", Whose::Nobodys),
];

/// The operations of the document that have somebody's id in their path.
fn documented() -> Vec<(String, String)> {
    let document: Value = serde_json::from_str(&super::document()).expect("the document is JSON");
    let paths = document["paths"].as_object().expect("it has paths");
    let with_ids = paths.iter().filter(|(path, _)| path.contains('{'));
    let operations = with_ids.flat_map(|(path, item)| {
        let methods = item.as_object().expect("a path has methods").keys();
        methods.map(move |method| (method.clone(), path.clone()))
    });
    operations.collect()
}

/// The name of a parameter does not matter: `{id}` and `{user}` are the same place.
fn shape(path: &str) -> String {
    let segments = path.split('/');
    let shaped = segments.map(|segment| if segment.starts_with('{') { "{}" } else { segment });
    shaped.collect::<Vec<_>>().join("/")
}

fn whose(method: &str, path: &str) -> Option<Whose> {
    let mut routes = ROUTES.iter();
    let found = routes.find(|route| route.0 == method && shape(route.1) == shape(path));
    found.map(|route| route.2)
}

#[test]
fn every_route_with_an_id_has_its_place_in_the_table() {
    let documented = documented();
    let missing: Vec<_> = documented
        .iter()
        .filter(|(method, path)| whose(method, path).is_none())
        .collect();
    assert!(missing.is_empty(), "say whose the things of these are: {missing:?}");
    assert!(documented.len() > 30);
}

/// What stands in the path for each of its parts: the ids of one person's things.
type Ids = BTreeMap<&'static str, String>;

fn filled(method: &str, path: &str, ids: &Ids) -> String {
    let mut segments: Vec<&str> = path.split('/').collect();
    for at in 1..segments.len() {
        if segments[at].starts_with('{') {
            let of = match (segments[at - 1], segments.get(at + 1).copied().unwrap_or(method)) {
                ("keys", act) => act,
                (of, _) => of,
            };
            segments[at] = ids.get(of).unwrap_or_else(|| panic!("no id for {path}: {of}"));
        }
    }
    segments.join("/")
}

async fn ask(world: &World, method: &str, path: &str, who: Option<&Person>, sent: Sent) -> Answer {
    let method = Method::from_bytes(method.to_uppercase().as_bytes()).expect("a method");
    let mut request = Request::builder()
        .method(method)
        .uri(path)
        .header("sec-fetch-site", "same-origin");
    if let Some(who) = who {
        request = request.header(header::COOKIE, &who.cookie);
    }
    let body = match sent {
        Sent::Nothing => Body::empty(),
        Sent::Json(text) => {
            request = request.header(header::CONTENT_TYPE, "application/json");
            Body::from(text)
        }
        Sent::Picture => {
            request = request.header(header::CONTENT_TYPE, "image/png");
            let mut bytes = Cursor::new(Vec::new());
            let picture = image::RgbImage::new(2, 2);
            picture
                .write_to(&mut bytes, image::ImageFormat::Png)
                .expect("a picture");
            Body::from(bytes.into_inner())
        }
    };
    world.send(request.body(body).expect("a request")).await
}

/// A private channel with a stream beside its own, keys for each thing that is done to one, a member and a picture.
async fn channel_of(world: &World, owner: &Person, environment: &Id, handle: &'static str) -> Ids {
    let (now, ring, owner, environment) = (
        world.platform.clock.now(),
        world.platform.ring(),
        owner.id.clone(),
        environment.clone(),
    );
    let made = world.platform.db.write(move |c| {
        Box::pin(async move {
            let making = Making {
                ring: &ring,
                by: Some(&owner),
                quota: 100,
                now,
            };
            let new = NewChannel {
                environment: &environment,
                owner: &owner,
                handle,
                title: CANARY,
                quota: 100,
            };
            let channel = channels::create(c, making, new).await?;
            run!(c, "update channels set visibility = 'private' where id = $1", &channel)?;
            let new = crate::streams::NewStream {
                environment: &environment,
                owner: &owner,
                channel: Some(&channel),
                title: CANARY,
                settings: &crate::streams::Settings::default(),
                policy: crate::streams::playback::Policy::Private,
            };
            let stream = crate::streams::create(c, making, new).await?;
            let playback = crate::streams::playback::insert(c, &stream, new.policy, now).await?;
            let picture = crate::images::Picture {
                content_type: "image/jpeg",
                bytes: CANARY.into(),
            };
            let image = crate::images::insert(c, picture, (&environment, &owner), now).await?;
            let mut ids = Ids::from([
                ("channels", channel.to_string()),
                ("streams", stream.to_string()),
                ("playback-ids", playback.to_string()),
                ("images", image.to_string()),
            ]);
            for act in ["reveal", "rotate", "delete"] {
                let (key, _) = crate::streams::keys::create(c, making, &stream, CANARY, None).await?;
                ids.insert(act, key.id.to_string());
            }
            Ok(ids)
        })
    });
    made.await.expect("a channel for the test")
}

/// What a person has of their own: another session, a passkey, a token, a linked sign-in.
async fn belongings(world: &World, person: &Person, ids: &mut Ids) {
    let (user, now) = (person.id.clone(), world.platform.clock.now());
    let environment = super::channels::environment(&world.platform, None).expect("the server is set up");
    let [session, passkey, token, provider, identity] = [
        Kind::Session,
        Kind::Passkey,
        Kind::Token,
        Kind::IdentityProvider,
        Kind::Identity,
    ]
    .map(Kind::random);
    for (name, id) in [
        ("sessions", &session),
        ("passkeys", &passkey),
        ("tokens", &token),
        ("identities", &identity),
    ] {
        ids.insert(name, id.to_string());
    }
    let written = world.platform.db.write(move |c| {
        Box::pin(async move {
            run!(
                c,
                "insert into sessions (id, digest, user_id, method, user_agent, address, created_at, seen_at, fresh_at, expires_at)
                 values ($1, $2, $3, 'password', 'test', '', $4, $4, $4, $5)",
                &session,
                session.as_str().as_bytes(),
                &user,
                now,
                i64::MAX
            )?;
            run!(
                c,
                "insert into passkeys (id, user_id, credential_id, name, credential, created_at) values ($1, $2, $3, $4, $5, $6)",
                &passkey,
                &user,
                passkey.as_str().as_bytes(),
                CANARY,
                Json(json!({})),
                now
            )?;
            run!(
                c,
                "insert into tokens (id, environment_id, user_id, name, digest, scopes, created_at) values ($1, $2, $3, $4, $5, $6, $7)",
                &token,
                environment,
                &user,
                CANARY,
                token.as_str().as_bytes(),
                Json(json!(["read"])),
                now
            )?;
            run!(
                c,
                "insert into identity_providers (id, slug, name, issuer, client_id, sign_up, enabled, created_at, updated_at)
                 values ($1, $2, $2, $2, 'client', $3, $3, $4, $4)",
                &provider,
                provider.as_str(),
                true,
                now
            )?;
            run!(
                c,
                "insert into identities (id, user_id, provider_id, issuer, subject, created_at) values ($1, $2, $3, 'issuer', $1, $4)",
                &identity,
                &user,
                &provider,
                now
            )
        })
    });
    written.await.expect("belongings for the test");
}

/// Another environment, of another organisation.
async fn elsewhere(world: &World) -> Id {
    let (organisation, environment) = (Kind::Organisation.random(), Kind::Environment.random());
    let made = environment.clone();
    let written = world.platform.db.write(move |c| {
        Box::pin(async move {
            run!(
                c,
                "insert into organisations (id, name, created_at) values ($1, 'Elsewhere', 1)",
                &organisation
            )?;
            run!(
                c,
                "insert into environments (id, organisation_id, name, created_at) values ($1, $2, 'Elsewhere', 1)",
                &made,
                &organisation
            )
        })
    });
    written.await.expect("an environment for the test");
    environment
}

fn is_refused(answer: &Answer) -> bool {
    let refused = matches!(answer.status, StatusCode::FORBIDDEN | StatusCode::NOT_FOUND);
    refused && !answer.body.to_string().contains(CANARY)
}

/// What the last segment of a path with two ids names may be Ada's where the first is Eve's own: a key of another stream.
fn mixed(path: &str, own: &Ids, foreign: &Ids) -> Option<Ids> {
    (path.matches('{').count() > 1).then(|| {
        let mut ids = foreign.clone();
        for parent in ["channels", "streams"] {
            ids.insert(parent, own[parent].clone());
        }
        ids
    })
}

#[tokio::test]
async fn nobody_does_anything_with_what_is_somebody_elses() {
    for world in World::both().await {
        let ada = world.person("ada", &[Role::Creator]).await;
        let eve = world.person("eve", &[Role::Creator]).await;
        let bob = world.person("bob", &[]).await;
        let home = super::channels::environment(&world.platform, None).expect("the server is set up");
        let mut adas = channel_of(&world, &ada, &home, "adas").await;
        let mut eves = channel_of(&world, &eve, &home, "eves").await;
        // Even what is Eve's own: her session is of this environment.
        let mut eves_elsewhere = channel_of(&world, &eve, &elsewhere(&world).await, "elsewhere").await;
        belongings(&world, &ada, &mut adas).await;
        belongings(&world, &eve, &mut eves).await;
        let member = json!({"email": "bob@example.org", "role": "viewer"});
        world.post("/api/v1/channels/adas/members", Some(&ada), member).await;
        for ids in [&mut adas, &mut eves, &mut eves_elsewhere] {
            ids.insert("members", bob.id.to_string());
            ids.insert("users", ada.id.to_string());
            ids.insert("invitations", Kind::Link.random().into());
            ids.insert("live", hub::BroadcastId::random().to_string());
            ids.insert("providers", Kind::IdentityProvider.random().into());
        }

        for (method, path) in documented() {
            let route = whose(&method, &path).expect("every route is in the table");
            let sent = match route {
                Whose::Owners(sent) | Whose::Persons(sent) | Whose::Servers(sent) => sent,
                Whose::OwnersEndless => Sent::Nothing,
                Whose::Nobodys => continue,
            };
            let at = filled(&method, &path, &adas);
            let stranger = ask(&world, &method, &at, Some(&eve), sent).await;
            assert!(
                is_refused(&stranger),
                "{method} {path}: {} {}",
                stranger.status,
                stranger.body
            );
            let nobody = ask(&world, &method, &at, None, sent).await;
            assert!(
                nobody.status == StatusCode::UNAUTHORIZED || is_refused(&nobody),
                "{method} {path}: {}",
                nobody.status
            );
            if matches!(route, Whose::Owners(_) | Whose::OwnersEndless) {
                let ours = ask(
                    &world,
                    &method,
                    &filled(&method, &path, &eves_elsewhere),
                    Some(&eve),
                    sent,
                )
                .await;
                assert!(is_refused(&ours), "{method} {path} elsewhere: {}", ours.status);
                if let Some(ids) = mixed(&path, &eves, &adas) {
                    let mixed = ask(&world, &method, &filled(&method, &path, &ids), Some(&eve), sent).await;
                    assert!(is_refused(&mixed), "{method} {path} mixed: {}", mixed.status);
                }
            }
        }
        let picture = format!("/api/v1/images/{}", eves_elsewhere["images"]);
        assert!(is_refused(&world.get(&picture, Some(&eve)).await));
        owners_succeed(&world, &ada, &adas).await;
    }
}

/// The very requests that were refused to others are good ones: their owner succeeds.
async fn owners_succeed(world: &World, owner: &Person, ids: &Ids) {
    let mut routes = documented();
    // What is deleted cannot be asked for any more; what holds others goes last.
    let depth = |path: &str| path.matches('/').count();
    routes.sort_by_key(|(method, path)| {
        (
            method == "delete",
            path.contains("channels"),
            std::cmp::Reverse(depth(path)),
        )
    });
    for (method, path) in routes {
        let Some(Whose::Owners(sent) | Whose::Persons(sent)) = whose(&method, &path) else {
            continue;
        };
        let answer = ask(world, &method, &filled(&method, &path, ids), Some(owner), sent).await;
        assert!(
            answer.status.is_success(),
            "{method} {path}: {} {}",
            answer.status,
            answer.body
        );
    }
}

#[tokio::test]
async fn a_token_that_may_read_changes_nothing() {
    let world = World::new().await;
    let ada = world.person("ada", &[Role::Creator, Role::Owner]).await;
    let home = super::channels::environment(&world.platform, None).expect("the server is set up");
    let mut ids = channel_of(&world, &ada, &home, "adas").await;
    belongings(&world, &ada, &mut ids).await;
    for (name, id) in [("members", &ada.id), ("users", &ada.id)] {
        ids.insert(name, id.to_string());
    }
    ids.insert("invitations", Kind::Link.random().into());
    ids.insert("live", hub::BroadcastId::random().to_string());
    ids.insert("providers", Kind::IdentityProvider.random().into());
    let made = world
        .post(
            "/api/v1/me/tokens",
            Some(&ada),
            json!({"name": "Reader", "scopes": ["read"]}),
        )
        .await;
    let bearer = format!("Bearer {}", made.body["secret"].as_str().expect("a token"));
    for (method, path) in documented().into_iter().filter(|(method, _)| method != "get") {
        let (sent, at) = match whose(&method, &path).expect("every route is in the table") {
            Whose::Owners(sent) | Whose::Persons(sent) | Whose::Servers(sent) => (sent, filled(&method, &path, &ids)),
            Whose::OwnersEndless | Whose::Nobodys => continue,
        };
        let mut request = Request::builder()
            .method(method.to_uppercase().as_str())
            .uri(&at)
            .header(header::AUTHORIZATION, &bearer);
        if let Sent::Json(_) = sent {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = if let Sent::Json(text) = sent {
            Body::from(text)
        } else {
            Body::empty()
        };
        let answer = world.send(request.body(body).expect("a request")).await;
        assert!(
            is_refused(&answer),
            "{method} {path}: {} {}",
            answer.status,
            answer.body
        );
    }
}
