//! A provider that is away, says no, or has new keys.

use super::*;

#[tokio::test]
async fn a_provider_that_is_away_or_says_no_leads_back_to_the_sign_in_page() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    let begun = begin(&world, "club", "", None).await;
    let path = format!(
        "/api/v1/auth/oidc/club/callback?error=access_denied&state={}",
        begun.state
    );
    refused(&visit(&world, &path, &[&begun.cookie], None).await, "denied");
    drop(provider);
    world.platform.clock.advance(std::time::Duration::from_secs(3_601));
    refused(
        &visit(&world, "/api/v1/auth/oidc/club/start", &[], None).await,
        "unavailable",
    );
    assert_eq!(
        visit(&world, "/api/v1/auth/oidc/nobody/start", &[], None).await.status,
        404
    );
}

#[tokio::test]
async fn new_keys_of_a_provider_are_fetched_and_what_it_says_is_remembered() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    set_sign_up(&world, SignUp::Open);
    sign_in(&world, &provider, "", ann()).await;
    assert_eq!(provider.server.count(), 3, "discovery, keys, token");
    sign_in(&world, &provider, "", ann()).await;
    assert_eq!(provider.server.count(), 4);
    provider.script.lock().unwrap().renewed = true;
    refused(&sign_in(&world, &provider, "", ann()).await, "failed");
    assert_eq!(provider.server.count(), 5, "it was asked a moment ago");
    world
        .platform
        .clock
        .advance(crate::people::oidc::discovery::AGAIN_AFTER);
    assert_eq!(location(&sign_in(&world, &provider, "", ann()).await), "/");
    assert_eq!(provider.server.count(), 8, "token, discovery, keys");
    world.platform.clock.advance(crate::people::oidc::discovery::KNOWN_FOR);
    sign_in(&world, &provider, "", ann()).await;
    assert_eq!(provider.server.count(), 11);
}
