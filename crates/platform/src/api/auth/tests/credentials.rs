//! Passwords that are forgotten or changed, and addresses that change.

use super::*;

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
