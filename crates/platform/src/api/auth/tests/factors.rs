//! The second factor: who must have one, and when it is asked for.

use super::*;

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
