//! Answers that are not what they seem: replayed, planted, forged, or leading elsewhere.

use super::*;

#[tokio::test]
async fn the_provider_is_asked_with_everything_that_protects_a_sign_in() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    let begun = begin(&world, "club", "", None).await;
    let query = &begun.query;
    assert_eq!(query["response_type"], "code");
    assert_eq!(query["code_challenge_method"], "S256");
    assert_eq!(
        query["redirect_uri"],
        "https://live.example.org/api/v1/auth/oidc/club/callback"
    );
    provider.says(json!({ "nonce": begun.nonce, "sub": "x" }));
    come_back(&world, "club", &begun, "", None).await;
    let asked = provider.server.last();
    let body: HashMap<String, String> = url::form_urlencoded::parse(asked.body.as_bytes())
        .into_owned()
        .collect();
    let challenge = URL_SAFE_NO_PAD.encode(Digest::of(body["code_verifier"].as_bytes()).as_bytes());
    assert_eq!(challenge, query["code_challenge"]);
    assert!(asked.header("authorization").unwrap().starts_with("Basic "));
}

#[tokio::test]
async fn a_state_counts_once_in_time_in_its_browser_and_for_its_provider() {
    for world in World::both().await {
        let (provider, other) = (Provider::start("club").await, Provider::start("other").await);
        provider.enrol(&world, true).await;
        other.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);

        let begun = begin(&world, "club", "", None).await;
        let mut claims = ann();
        claims["nonce"] = json!(begun.nonce);
        provider.says(claims);
        assert_eq!(location(&come_back(&world, "club", &begun, "", None).await), "/");
        refused(&come_back(&world, "club", &begun, "", None).await, "expired");

        // A link that somebody else made signs nobody in as them.
        let (mut theirs, mine) = (
            begin(&world, "club", "", None).await,
            begin(&world, "club", "", None).await,
        );
        theirs.cookie = mine.cookie;
        refused(&come_back(&world, "club", &theirs, "", None).await, "failed");
        let mut theirs = begin(&world, "club", "", None).await;
        theirs.cookie = "a=b".into();
        refused(&come_back(&world, "club", &theirs, "", None).await, "failed");

        let begun = begin(&world, "club", "", None).await;
        refused(&come_back(&world, "other", &begun, "", None).await, "failed");

        let begun = begin(&world, "club", "", None).await;
        world.platform.clock.advance(std::time::Duration::from_secs(601));
        refused(&come_back(&world, "club", &begun, "", None).await, "expired");
        let no_state = visit(&world, "/api/v1/auth/oidc/club/callback?code=c", &[], None).await;
        refused(&no_state, "expired");
    }
}

#[tokio::test]
async fn the_answer_of_another_provider_is_not_taken() {
    for world in World::both().await {
        let provider = Provider::start("club").await;
        provider.script.lock().unwrap().names_itself = true;
        provider.enrol(&world, true).await;
        set_sign_up(&world, SignUp::Open);
        for (named, good) in [("&iss=https://evil.example", false), ("", false), ("right", true)] {
            let begun = begin(&world, "club", "", None).await;
            let mut claims = ann();
            claims["nonce"] = json!(begun.nonce);
            provider.says(claims);
            let named = if good {
                format!("&iss={}", provider.issuer())
            } else {
                named.to_owned()
            };
            let asked = provider.server.count();
            let back = come_back(&world, "club", &begun, &named, None).await;
            if good {
                assert_eq!(location(&back), "/");
            } else {
                refused(&back, "failed");
                assert_eq!(provider.server.count(), asked, "the code was not shown to anybody");
            }
        }
    }
}

#[tokio::test]
async fn a_token_that_was_made_for_somebody_or_something_else_is_not_taken() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    set_sign_up(&world, SignUp::Open);
    for wrong in [
        json!({ "nonce": "another" }),
        json!({ "nonce": null }),
        json!({ "aud": "somebody-else" }),
        json!({ "aud": [CLIENT, "somebody-else"] }),
        json!({ "iss": "https://evil.example" }),
        json!({ "exp": now() - 10 }),
        json!({ "sub": "" }),
        json!({ "sub": "x".repeat(256) }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256" }),
    ] {
        let mut claims = ann();
        merge(&mut claims, &wrong);
        refused(&sign_in(&world, &provider, "", claims).await, "failed");
    }
    provider.script.lock().unwrap().forged = true;
    refused(&sign_in(&world, &provider, "", ann()).await, "failed");
    provider.script.lock().unwrap().forged = false;
    assert_eq!(location(&sign_in(&world, &provider, "", ann()).await), "/");
}

#[tokio::test]
async fn a_sign_in_leads_nowhere_else() {
    let world = World::new().await;
    let provider = Provider::start("club").await;
    provider.enrol(&world, true).await;
    set_sign_up(&world, SignUp::Open);
    for next in [
        "//evil.example",
        "%2F%2Fevil.example",
        "/\\evil.example",
        "/%5Cevil.example",
        "https:evil.example",
        "https://evil.example",
        "/%09/evil.example",
        "/%0D%0ALocation:%20https://evil.example",
    ] {
        let done = sign_in(&world, &provider, &format!("next={}", next.replace('\\', "%5C")), ann()).await;
        assert_eq!(location(&done), "/", "{next}");
    }
}
