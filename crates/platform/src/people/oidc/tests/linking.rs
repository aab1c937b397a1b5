//! Linking a provider to the account of whoever is signed in.

use super::*;

#[tokio::test]
async fn whoever_is_signed_in_links_the_provider_and_signs_in_with_it_from_then_on() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, false).await;
        let (person, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
        let begun = begin(&world, "club", "link=1&next=/me/security", Some(&person)).await;
        let mut claims = ann();
        claims["nonce"] = json!(begun.nonce);
        provider.says(claims.clone());
        let linked = come_back(&world, "club", &begun, "", Some(&person)).await;
        assert_eq!(location(&linked), "/me/security");
        let list = world.get("/api/v1/me/identities", Some(&person)).await;
        assert_eq!(list.body["items"][0]["provider"], "club");
        let back = sign_in(&world, &provider, "", ann()).await;
        assert_eq!(me(&world, &back).await["id"], json!(person.id));

        // Nobody else gets it.
        let begun = begin(&world, "club", "link=1", Some(&bob)).await;
        claims["nonce"] = json!(begun.nonce);
        provider.says(claims);
        refused(
            &come_back(&world, "club", &begun, "", Some(&bob)).await,
            "identity_taken",
        );

        let path = format!(
            "/api/v1/me/identities/{}",
            list.body["items"][0]["id"].as_str().unwrap()
        );
        assert_eq!(world.call(Method::DELETE, &path, Some(&bob), None).await.status, 404);
        let locked_out = world.call(Method::DELETE, &path, Some(&person), None).await;
        assert_eq!(locked_out.status, 409, "there is no password");
    }
}

#[tokio::test]
async fn linking_is_asked_for_by_our_own_page_and_ends_for_whoever_began_it() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.enrol(&world, true).await;
        let (person, bob) = (world.person("ann", &[]).await, world.person("bob", &[]).await);
        let path = "/api/v1/auth/oidc/club/start?link=1";
        for (site, status) in [
            (Some("cross-site"), 403),
            (Some("same-site"), 403),
            (Some("none"), 403),
            (None, 403),
        ] {
            assert_eq!(visit(&world, path, &[&person.cookie], site).await.status, status);
        }
        assert_eq!(visit(&world, path, &[], Some("same-origin")).await.status, 401);
        let begun = begin(&world, "club", "link=1", Some(&person)).await;
        provider.says(json!({ "nonce": begun.nonce, "sub": "evil" }));
        refused(&come_back(&world, "club", &begun, "", Some(&bob)).await, "failed");
        let begun = begin(&world, "club", "link=1", Some(&person)).await;
        provider.says(json!({ "nonce": begun.nonce, "sub": "evil" }));
        refused(&come_back(&world, "club", &begun, "", None).await, "failed");
        world
            .platform
            .clock
            .advance(crate::actor::FRESH + std::time::Duration::from_secs(1));
        assert_eq!(
            visit(&world, path, &[&person.cookie], Some("same-origin")).await.status,
            403
        );
        assert_eq!(count(&world, "select count(*) from identities").await, 0);
    }
}
