//! Who comes in by a provider, and with which account.

use super::*;

#[tokio::test]
async fn somebody_whom_the_provider_knows_gets_an_account_and_comes_back_to_it() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        let first = sign_in(&world, &provider, "next=/studio", ann()).await;
        assert_eq!(location(&first), "/studio");
        let person = me(&world, &first).await;
        assert_eq!(
            (&person["email"], &person["email_verified"]),
            (&json!("ann@example.org"), &json!(true))
        );
        assert_eq!(person["name"], "Ann");
        // The address there may change, and need not be verified: the subject is who they are.
        let again = json!({ "sub": "ann-there", "email": "other@example.org", "email_verified": false });
        let second = sign_in(&world, &provider, "", again).await;
        assert_eq!(location(&second), "/");
        assert_eq!(me(&world, &second).await["id"], person["id"]);
    }
}

#[tokio::test]
async fn an_address_that_has_an_account_is_never_linked_by_itself() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        world.person("ann", &[]).await;
        refused(&sign_in(&world, &provider, "", ann()).await, "account_exists");
        for verified in [json!(false), json!(null)] {
            let mut claims = ann();
            claims["email_verified"] = verified;
            refused(
                &sign_in(&world, &provider, "", claims.clone()).await,
                "unverified_email",
            );
            claims["email"] = "new@example.org".into();
            refused(&sign_in(&world, &provider, "", claims).await, "unverified_email");
        }
        refused(
            &sign_in(&world, &provider, "", json!({ "sub": "ann-there" })).await,
            "unverified_email",
        );
        assert_eq!(count(&world, "select count(*) from identities").await, 0);
        assert_eq!(count(&world, "select count(*) from users").await, 2);
    }
}

#[tokio::test]
async fn who_may_make_an_account_is_the_servers_and_the_providers_to_say() {
    for world in World::both().await {
        let (provider, closed) = (Provider::start("club").await, Provider::start("other").await);
        provider.enrol(&world, true).await;
        closed.enrol(&world, false).await;
        set_sign_up(&world, SignUp::Open);
        refused(&sign_in(&world, &closed, "", ann()).await, "sign_up_closed");
        set_sign_up(&world, SignUp::Closed);
        refused(&sign_in(&world, &provider, "", ann()).await, "sign_up_closed");
        set_sign_up(&world, SignUp::Invite);
        refused(&sign_in(&world, &provider, "", ann()).await, "sign_up_closed");
        refused(
            &sign_in(&world, &provider, "invitation=made-up", ann()).await,
            "sign_up_closed",
        );

        let invitation = invite(&world).await;
        let query = format!("invitation={invitation}");
        let done = sign_in(&world, &provider, &query, ann()).await;
        assert_eq!(location(&done), "/");
        let bob = json!({ "sub": "bob-there", "email": "bob@example.org", "email_verified": true });
        refused(&sign_in(&world, &provider, &query, bob).await, "sign_up_closed");
    }
}

async fn invite(world: &World) -> String {
    let new = links::New {
        kind: Kind::Invite,
        user: None,
        email: None,
        detail: links::Detail::default(),
        by: None,
        lifetime: Kind::Invite.lifetime(),
    };
    let (ring, now) = (world.platform.ring(), world.platform.clock.now());
    let made = world
        .platform
        .db
        .write(move |c| Box::pin(async move { links::create(c, &ring, new, now).await }));
    made.await.unwrap().1.expose().to_owned()
}

#[tokio::test]
async fn a_second_factor_is_asked_for_here_too_and_the_suspended_stay_out() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        let first = sign_in(&world, &provider, "", ann()).await;
        let id: Id = serde_json::from_value(me(&world, &first).await["id"].clone()).unwrap();
        change(
            &world,
            "insert into authenticators (user_id, secret, confirmed_at, step, created_at) values ($1, $2, 1, 1, 1)",
            &id,
        )
        .await;
        let second = sign_in(&world, &provider, "next=/studio", ann()).await;
        let (page, fragment) = location(&second).split_once('#').unwrap();
        assert_eq!(page, "/login?next=%2Fstudio");
        assert!(
            fragment.starts_with("challenge=") && fragment.ends_with("&methods=totp"),
            "{fragment}"
        );
        assert!(cookie(&second, "__Host-session").is_none());
        change(
            &world,
            "update users set suspended_at = 1, suspended_reason = $2 where id = $1",
            &id,
        )
        .await;
        refused(&sign_in(&world, &provider, "", ann()).await, "suspended");
    }
}

/// Runs a change of which `$1` is a person and `$2` some text or bytes that nobody reads.
async fn change(world: &World, sql: &'static str, user: &Id) {
    let user = user.clone();
    let bytes = sql.starts_with("insert");
    let done = world.platform.db.write(move |c| {
        Box::pin(async move {
            match bytes {
                true => run!(c, sql, user, b"sealed".to_vec()),
                false => run!(c, sql, user, "because"),
            }
        })
    });
    assert_eq!(done.await.unwrap(), 1);
}
