use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::mail::testing::Sink;
use crate::people::email::Email;
use crate::people::users::{self, Account};
use crate::secret::Secret;
use crate::settings::{Settings, SignUp};
use crate::testing::{Answer, Person, World};

const PASSWORD: &str = "a river runs by";

/// Somebody who has a password.
async fn with_password(world: &World, name: &str) {
    let account = Account {
        email: Email::new(format!("{name}@example.org")),
        name: name.into(),
        password: Secret::new(PASSWORD),
        role: None,
    };
    users::create(&world.platform, account).await.unwrap();
}

async fn settings(world: &World, change: impl FnOnce(&mut Settings)) {
    let mut settings = world.platform.settings().as_ref().clone();
    change(&mut settings);
    world.platform.set_settings(settings);
}

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    world.post("/api/v1/auth/sign-in", None, body).await
}

/// The cookies that an answer sets, as a browser sends them back.
fn browser(answer: &Answer) -> Person {
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs: Vec<&str> = set
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    Person {
        id: crate::id::Kind::User.random(),
        cookie: pairs.join("; "),
    }
}

/// The secrets of the links in mails.
fn tokens(sink: &Sink) -> Vec<String> {
    let mails = sink.mails();
    let link = |mail: &String| {
        let (_, rest) = mail.split_once("token=")?;
        Some(
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .next()?
                .to_owned(),
        )
    };
    mails.iter().filter_map(link).collect()
}

async fn mails(world: &World) -> Sink {
    let sink = Sink::start().await;
    let mail = sink.settings();
    settings(world, |settings| {
        settings.sign_up = SignUp::Open;
        settings.mail = Some(mail);
    })
    .await;
    sink
}

fn wish(name: &str) -> Value {
    json!({"email": format!("{name}@example.org"), "name": name, "password": PASSWORD})
}

#[tokio::test]
async fn somebody_signs_in_looks_around_and_signs_out() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let answer = sign_in(&world, "Ann@Example.org ", PASSWORD).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(
            (&answer.body["state"], &answer.body["user"]["fresh"]),
            (&json!("signed_in"), &json!(true))
        );
        let cookies: Vec<&str> = answer
            .headers
            .get_all("set-cookie")
            .iter()
            .map(|c| c.to_str().unwrap())
            .collect();
        assert!(cookies[0].starts_with("__Host-session=") && cookies[1].starts_with("__Host-device="));
        for cookie in &cookies {
            assert!(
                cookie.ends_with("; Path=/; Max-Age=34560000; HttpOnly; SameSite=Lax; Secure"),
                "{cookie}"
            );
        }
        let ann = browser(&answer);
        assert_eq!(world.get("/api/v1/me", Some(&ann)).await.body["name"], "ann");
        let out = world.post("/api/v1/auth/sign-out", Some(&ann), json!({})).await;
        assert_eq!(out.status, 204);
        assert!(
            out.headers["set-cookie"]
                .to_str()
                .unwrap()
                .contains("__Host-session=; Path=/; Max-Age=0")
        );
        assert_eq!(world.get("/api/v1/me", Some(&ann)).await.status, 401);
    }
}

#[tokio::test]
async fn on_a_plain_page_the_cookie_has_no_prefix() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    let body = json!({"email": "ann@example.org", "password": PASSWORD}).to_string();
    let mut request = Request::post("/api/v1/auth/sign-in")
        .header("content-type", "application/json")
        .body(Body::from(body))
        .unwrap();
    request.extensions_mut().insert(crate::actor::Client {
        secure: false,
        ..crate::testing::client()
    });
    let answer = world.send(request).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("session=") && !cookie.contains("Secure"), "{cookie}");
}

#[tokio::test]
async fn a_session_that_somebody_else_chose_is_not_the_one_that_is_opened() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let mallory = world.person("mallory", &[]).await;
        let body = json!({"email": "ann@example.org", "password": PASSWORD});
        let answer = world.post("/api/v1/auth/sign-in", Some(&mallory), body).await;
        let ann = browser(&answer);
        assert!(!ann.cookie.contains(&mallory.cookie));
        assert_eq!(world.get("/api/v1/me", Some(&ann)).await.body["name"], "ann");
        // What the browser had before has ended, for whoever planted it as well.
        assert_eq!(world.get("/api/v1/me", Some(&mallory)).await.status, 401);
    }
}

#[tokio::test]
async fn an_unknown_address_looks_and_costs_like_a_wrong_password() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let hasher = &world.platform.doors.hasher;
        let mut seen = BTreeSet::new();
        for email in ["ann@example.org", "nobody@example.org", "not an address"] {
            let before = hasher.computed();
            let answer = sign_in(&world, email, "not the password").await;
            let mut body = answer.body.clone();
            body["request_id"] = Value::Null;
            seen.insert((answer.status.as_u16(), body.to_string(), hasher.computed() - before));
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(seen.first().unwrap().0, 401);
    }
}

#[tokio::test]
async fn guessing_ends_before_anything_is_computed_and_a_known_browser_still_comes_in() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    let known = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
    let hasher = &world.platform.doors.hasher;
    let mut refused = 0;
    for _ in 0..30 {
        let before = hasher.computed();
        let answer = sign_in(&world, "ann@example.org", "a guess at it").await;
        if answer.status == 429 {
            assert!(answer.headers.contains_key("retry-after"));
            assert_eq!(hasher.computed(), before);
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused}");
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    let answer = world.post("/api/v1/auth/sign-in", Some(&known), body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // A browser that another person signed in with is not known to this account.
    let answer = sign_in(&world, "ann@example.org", PASSWORD).await;
    assert_eq!(answer.status, 429);
}

#[tokio::test]
async fn an_address_is_confirmed_by_mail_and_a_taken_one_answers_alike() {
    for world in World::both().await {
        let sink = mails(&world).await;
        with_password(&world, "ann").await;
        let hasher = &world.platform.doors.hasher;
        let mut seen = BTreeSet::new();
        for name in ["ben", "ann"] {
            let before = hasher.computed();
            let answer = world.post("/api/v1/auth/sign-up", None, wish(name)).await;
            seen.insert((
                answer.status.as_u16(),
                answer.body.to_string(),
                hasher.computed() - before,
            ));
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        world.platform.doors.outbox.idle().await;
        let mails = sink.mails();
        assert_eq!(mails.len(), 2);
        let to_ann = mails.iter().find(|mail| mail.contains("RCPT TO:<ann@")).unwrap();
        assert!(
            to_ann.contains("You have one already") && !to_ann.contains("token="),
            "{to_ann}"
        );
        let unverified = sign_in(&world, "ben@example.org", PASSWORD).await;
        assert_eq!(unverified.status, 403, "{}", unverified.body);
        // The link of the first mail was replaced by the one that the refused sign-in sent.
        world.platform.doors.outbox.idle().await;
        let link = tokens(&sink).pop().unwrap();
        let answer = world.post("/api/v1/auth/verify", None, json!({"token": link})).await;
        assert_eq!(answer.body["user"]["email_verified"], true, "{}", answer.body);
        assert_eq!(world.get("/api/v1/me", Some(&browser(&answer))).await.status, 200);
        let again = world.post("/api/v1/auth/verify", None, json!({"token": link})).await;
        assert_eq!(again.status, 410);
        assert_eq!(sign_in(&world, "ben@example.org", PASSWORD).await.status, 200);
    }
}

#[tokio::test]
async fn nobody_becomes_more_by_sending_more() {
    let world = World::new().await;
    settings(&world, |settings| settings.sign_up = SignUp::Open).await;
    for (field, value) in [
        (
            "roles",
            json!([{"role": "owner", "scope": "server", "scope_id": "server"}]),
        ),
        ("email_verified", json!(true)),
        ("creator", json!("granted")),
        ("id", json!("us1")),
    ] {
        let mut body = wish("ben");
        body[field] = value;
        let answer = world.post("/api/v1/auth/sign-up", None, body).await;
        assert_eq!(answer.status, 422, "{field}: {}", answer.body);
    }
    let answer = world.post("/api/v1/auth/sign-up", None, wish("ben")).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["state"]),
        (202, &json!("signed_in")),
        "{}",
        answer.body
    );
    let ben = browser(&answer);
    let me = world.get("/api/v1/me", Some(&ben)).await;
    assert_eq!(
        (&me.body["roles"], &me.body["email_verified"]),
        (&json!([]), &json!(false))
    );
    let more = world
        .call(
            Method::PATCH,
            "/api/v1/me",
            Some(&ben),
            Some(json!({"email_verified": true})),
        )
        .await;
    assert_eq!(more.status, 422);
}

#[tokio::test]
async fn a_mailed_link_leads_to_this_server_whatever_host_was_asked_for() {
    for world in World::both().await {
        let sink = mails(&world).await;
        with_password(&world, "ann").await;
        let mut request = Request::post("/api/v1/auth/reset/request")
            .header("content-type", "application/json")
            .header("host", "evil.example")
            .header("x-forwarded-host", "evil.example")
            .body(Body::from(json!({"email": "ann@example.org"}).to_string()))
            .unwrap();
        request.extensions_mut().insert(crate::actor::Client {
            host: Some("evil.example".into()),
            ..crate::testing::client()
        });
        assert_eq!(world.send(request).await.status, 202);
        world.platform.doors.outbox.idle().await;
        let mail = sink.mails().pop().unwrap();
        assert!(
            mail.contains("https://live.example.org/reset?token=") && !mail.contains("evil"),
            "{mail}"
        );
    }
}

#[tokio::test]
async fn a_forgotten_password_is_set_anew_once_and_every_session_ends() {
    for world in World::both().await {
        let sink = mails(&world).await;
        with_password(&world, "ann").await;
        let old = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
        let mut seen = BTreeSet::new();
        for email in ["ann@example.org", "nobody@example.org"] {
            let answer = world
                .post("/api/v1/auth/reset/request", None, json!({"email": email}))
                .await;
            seen.insert((answer.status.as_u16(), answer.body.to_string()));
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        world.platform.doors.outbox.idle().await;
        let [link] = tokens(&sink).try_into().unwrap();
        let set = async |password: &str| {
            let body = json!({"token": link, "password": password});
            world.post("/api/v1/auth/reset", None, body).await.status.as_u16()
        };
        assert_eq!(set("password123").await, 422);
        assert_eq!(set("another river").await, 204);
        assert_eq!(set("a third river").await, 410, "a link is used once");
        assert_eq!(world.get("/api/v1/me", Some(&old)).await.status, 401);
        assert_eq!(sign_in(&world, "ann@example.org", PASSWORD).await.status, 401);
        assert_eq!(sign_in(&world, "ann@example.org", "another river").await.status, 200);
        world.platform.doors.outbox.idle().await;
        assert!(sink.mails().iter().any(|mail| mail.contains("password was changed")));
    }
}

#[tokio::test]
async fn a_sign_in_from_a_browser_that_is_new_is_told_by_mail() {
    for world in World::both().await {
        let sink = mails(&world).await;
        with_password(&world, "ann").await;
        let body = json!({"email": "ann@example.org", "password": PASSWORD});
        let with = async |who: Option<&Person>| {
            let answer = world.post("/api/v1/auth/sign-in", who, body.clone()).await;
            assert_eq!(answer.status, 200, "{}", answer.body);
            world.platform.doors.outbox.idle().await;
            answer
        };
        let known = browser(&with(None).await);
        assert_eq!(sink.mails().len(), 0, "the first one has nothing to compare with");
        with(Some(&known)).await;
        assert_eq!(sink.mails().len(), 0, "it has signed in before");
        with(None).await;
        let [mail] = sink.mails().try_into().unwrap();
        assert!(mail.contains("RCPT TO:<ann@example.org>"), "{mail}");
        assert!(mail.contains("an unknown browser, from the address 192.0.2.7, at 2027-01-15 08:00 UTC."));
        assert!(mail.contains("https://live.example.org/me/security"));
    }
}

#[tokio::test]
async fn a_link_that_is_old_is_good_for_nothing() {
    let world = World::new().await;
    let sink = mails(&world).await;
    with_password(&world, "ann").await;
    world
        .post("/api/v1/auth/reset/request", None, json!({"email": "ann@example.org"}))
        .await;
    world.platform.doors.outbox.idle().await;
    let link = tokens(&sink).pop().unwrap();
    world.platform.clock.advance(Duration::from_secs(3_601));
    let body = json!({"token": link, "password": "another river"});
    assert_eq!(world.post("/api/v1/auth/reset", None, body).await.status, 410);
}

#[tokio::test]
async fn a_request_of_another_site_changes_nothing_even_without_a_cookie() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    let ann = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
    let forged = |path: &str, cookie: Option<&str>, origin: &str| {
        let mut request = Request::post(path)
            .header("content-type", "application/json")
            .header("origin", origin.to_owned())
            .header("sec-fetch-site", "cross-site");
        if let Some(cookie) = cookie {
            request = request.header("cookie", cookie);
        }
        let body = json!({"email": "ann@example.org", "password": PASSWORD}).to_string();
        request.body(Body::from(body)).unwrap()
    };
    for (path, cookie) in [
        ("/api/v1/auth/sign-out", Some(ann.cookie.as_str())),
        ("/api/v1/me/email", Some(ann.cookie.as_str())),
        ("/api/v1/auth/sign-in", None),
    ] {
        let answer = world.send(forged(path, cookie, "https://evil.example")).await;
        assert_eq!(answer.status, 403, "{path}");
    }
    assert_eq!(world.get("/api/v1/me", Some(&ann)).await.status, 200);
}

#[tokio::test]
async fn an_invitation_is_used_once_by_whom_it_is_for() {
    for world in World::both().await {
        settings(&world, |settings| settings.sign_up = SignUp::Invite).await;
        let admin = world.person("admin", &[Role::Admin]).await;
        let none = world.post("/api/v1/auth/sign-up", None, wish("ben")).await;
        assert_eq!(none.status, 403);
        let body = json!({"email": "ben@example.org", "role": "creator"});
        let made = world.post("/api/v1/admin/invitations", Some(&admin), body).await;
        assert_eq!(made.status, 201, "{}", made.body);
        let url = made.body["url"].as_str().unwrap();
        let token = url.strip_prefix("https://live.example.org/invite?token=").unwrap();
        let seen = world.get(&format!("/api/v1/auth/invitations/{token}"), None).await;
        assert_eq!(
            (&seen.body["invited_by"], &seen.body["role"]),
            (&json!("admin"), &json!("creator"))
        );
        let with = |name: &str| {
            let mut wish = wish(name);
            wish["invitation"] = token.into();
            wish
        };
        assert_eq!(world.post("/api/v1/auth/sign-up", None, with("eve")).await.status, 422);
        let answer = world.post("/api/v1/auth/sign-up", None, with("ben")).await;
        let me = world.get("/api/v1/me", Some(&browser(&answer))).await;
        assert_eq!(
            (&me.body["name"], &me.body["creator"]),
            (&json!("ben"), &json!("granted")),
            "{}",
            me.body
        );
        assert_eq!(world.post("/api/v1/auth/sign-up", None, with("ben")).await.status, 410);
        let list = world.get("/api/v1/admin/invitations", Some(&admin)).await;
        assert_eq!(list.body["items"], json!([]));
    }
}

#[tokio::test]
async fn where_no_mail_is_sent_an_administrator_passes_links_on() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let (owner, admin, ben) = (
            world.person("owner", &[Role::Owner]).await,
            world.person("admin", &[Role::Admin]).await,
            world.person("ben", &[]).await,
        );
        for email in ["ann@example.org", "owner@example.org"] {
            world
                .post("/api/v1/auth/reset/request", None, json!({"email": email}))
                .await;
        }
        let links = async |who: &Person| world.get("/api/v1/admin/links", Some(who)).await;
        assert_eq!(links(&ben).await.status, 403);
        let seen = links(&admin).await;
        assert_eq!(
            seen.body["items"].as_array().unwrap().len(),
            1,
            "an owner's is for owners: {}",
            seen.body
        );
        assert_eq!(links(&owner).await.body["items"].as_array().unwrap().len(), 2);
        let url = seen.body["items"][0]["url"].as_str().unwrap();
        let token = url.split_once("token=").unwrap().1;
        let body = json!({"token": token, "password": "another river"});
        assert_eq!(world.post("/api/v1/auth/reset", None, body).await.status, 204);
        let path = format!("/api/v1/admin/users/{}/reset-link", owner.id);
        assert_eq!(world.post(&path, Some(&admin), json!({})).await.status, 403);
        assert_eq!(world.post(&path, Some(&owner), json!({})).await.status, 200);
    }
}

#[tokio::test]
async fn another_address_is_confirmed_before_it_is_used() {
    for world in World::both().await {
        let sink = mails(&world).await;
        with_password(&world, "ann").await;
        let ann = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
        let to = |email: &str| json!({"email": email});
        assert_eq!(
            world
                .post("/api/v1/me/email", Some(&ann), to("new@example.org"))
                .await
                .status,
            202
        );
        world.platform.doors.outbox.idle().await;
        assert!(
            sink.mails()
                .iter()
                .any(|mail| mail.contains("RCPT TO:<ann@") && !mail.contains("token="))
        );
        assert_eq!(sign_in(&world, "new@example.org", PASSWORD).await.status, 401);
        let [link] = tokens(&sink).try_into().unwrap();
        let confirmed = world
            .post("/api/v1/auth/verify", Some(&ann), json!({"token": link}))
            .await;
        assert_eq!(confirmed.body["user"]["email"], "new@example.org", "{}", confirmed.body);
        assert_eq!(sign_in(&world, "new@example.org", PASSWORD).await.status, 200);
        world.platform.clock.advance(Duration::from_secs(601));
        let ann = browser(&confirmed);
        let stale = world.post("/api/v1/me/email", Some(&ann), to("x@example.org")).await;
        assert_eq!(stale.body["code"], "fresh_sign_in_required");
        let wrong = world
            .post("/api/v1/auth/confirm", Some(&ann), json!({"password": "wrong"}))
            .await;
        assert_eq!(wrong.status, 403);
        let right = world
            .post("/api/v1/auth/confirm", Some(&ann), json!({"password": PASSWORD}))
            .await;
        assert_eq!(right.status, 204, "{}", right.body);
        assert_eq!(
            world
                .post("/api/v1/me/email", Some(&ann), to("x@example.org"))
                .await
                .status,
            202
        );
    }
}

#[tokio::test]
async fn a_changed_password_ends_the_other_sessions() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let here = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
        let there = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
        let change = async |body: Value| {
            world
                .post("/api/v1/me/password", Some(&here), body)
                .await
                .status
                .as_u16()
        };
        assert_eq!(change(json!({"current": "wrong", "new": "another river"})).await, 403);
        assert_eq!(
            change(json!({"current": PASSWORD, "new": "ann@example.org"})).await,
            422
        );
        assert_eq!(change(json!({"current": PASSWORD, "new": "another river"})).await, 204);
        assert_eq!(world.get("/api/v1/me", Some(&here)).await.status, 200);
        assert_eq!(world.get("/api/v1/me", Some(&there)).await.status, 401);
    }
}

#[tokio::test]
async fn a_suspended_person_does_not_come_in() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    let admin = world.person("admin", &[Role::Admin]).await;
    let people = world.get("/api/v1/admin/users?q=ann", Some(&admin)).await;
    let path = format!(
        "/api/v1/admin/users/{}/suspend",
        people.body["items"][0]["id"].as_str().unwrap()
    );
    world.post(&path, Some(&admin), json!({"reason": "spam"})).await;
    let answer = sign_in(&world, "ann@example.org", PASSWORD).await;
    assert_eq!(
        (answer.status.as_u16(), &answer.body["detail"]),
        (403, &json!("this account is suspended: spam"))
    );
    assert_eq!(
        sign_in(&world, "ann@example.org", "a wrong one").await.status,
        401,
        "strangers do not hear of it"
    );
}

#[tokio::test]
async fn whose_role_asks_for_a_second_factor_can_only_add_one() {
    for world in World::both().await {
        let (admin, ben) = (
            world.person("admin", &[Role::Admin]).await,
            world.person("ben", &[Role::Creator]).await,
        );
        settings(&world, |settings| settings.required_factor_roles = vec![Role::Admin]).await;
        let me = world.get("/api/v1/me", Some(&admin)).await;
        assert_eq!(me.body["factor_required"], true, "{}", me.body);
        for path in ["/api/v1/admin/users", "/api/v1/me/sessions", "/api/v1/me/export"] {
            let refused = world.get(path, Some(&admin)).await;
            assert_eq!(
                (refused.status.as_u16(), &refused.body["code"]),
                (403, &json!("factor_required")),
                "{path}"
            );
        }
        let start = world.post("/api/v1/me/totp/start", Some(&admin), json!({})).await;
        assert_eq!(start.status, 200, "{}", start.body);
        assert_eq!(world.get("/api/v1/me/sessions", Some(&ben)).await.status, 200);
        let id = admin.id.clone();
        let added = world.platform.db.write(move |c| {
            Box::pin(async move { crate::run!(c, "update authenticators set confirmed_at = 1 where user_id = $1", id) })
        });
        assert_eq!(added.await.unwrap(), 1);
        assert_eq!(world.get("/api/v1/admin/users", Some(&admin)).await.status, 200);
    }
}

#[tokio::test]
async fn a_second_factor_comes_between_the_password_and_the_session() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let added = world.platform.db.write(|c| {
            Box::pin(async move {
                crate::run!(
                    c,
                    "insert into authenticators (user_id, secret, confirmed_at, step, created_at)
                     select id, $1, 1, 0, 1 from users where email_key = 'ann@example.org'",
                    vec![0_u8]
                )
            })
        });
        assert_eq!(added.await.unwrap(), 1);
        let half = sign_in(&world, "ann@example.org", PASSWORD).await;
        assert_eq!(
            (&half.body["state"], &half.body["methods"]),
            (&json!("factor"), &json!(["totp"])),
            "{}",
            half.body
        );
        assert!(!half.headers.contains_key("set-cookie"));
        assert_eq!(sign_in(&world, "ann@example.org", "a wrong one").await.status, 401);
    }
}

/// The filter of the operator's guide finds the address in the line that a refused sign-in leaves.
#[tokio::test]
async fn a_refused_sign_in_leaves_a_line_that_bans() {
    use tracing::instrument::WithSubscriber as _;
    let world = World::new().await;
    with_password(&world, "ann").await;
    let log = Log::default();
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let body = json!({"email": "ann@example.org", "password": "canary-password"});
    let answer = world
        .post("/api/v1/auth/sign-in", None, body)
        .with_subscriber(subscriber)
        .await;
    assert_eq!(answer.status, 401);
    let guide = include_str!("../../../../../docs/operate.md");
    let filter = guide
        .lines()
        .find_map(|line| line.trim().strip_prefix("failregex = "))
        .unwrap();
    // fail2ban puts a group for an address in the place of its tag.
    let filter = regex::Regex::new(&filter.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)")).unwrap();
    let text = log.text();
    let banned: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(filter.captures(line)?.name("host")?.as_str()))
        .collect();
    assert_eq!(banned, ["192.0.2.7"], "{text}");
    assert!(!text.contains("ann@") && !text.contains("canary"), "{text}");
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
