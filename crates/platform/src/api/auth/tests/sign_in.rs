//! Signing in and out, and what a session is worth.

use super::*;

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
