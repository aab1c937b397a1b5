//! Making an account: confirmed, invited, and never more than was offered.

use super::*;

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
