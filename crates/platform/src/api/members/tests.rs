use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::testing::{Answer, Person, World};

const MEMBERS: &str = "/api/v1/channels/ada/members";

async fn channel(world: &World) -> Person {
    let ada = world.person("ada", &[Role::Creator]).await;
    let body = json!({"handle": "ada", "title": "Ada"});
    assert_eq!(
        world.post("/api/v1/channels", Some(&ada), body).await.status,
        StatusCode::CREATED
    );
    ada
}

async fn add(world: &World, who: &Person, email: &str, role: &str) -> Answer {
    world
        .post(MEMBERS, Some(who), json!({"email": email, "role": role}))
        .await
}

#[tokio::test]
async fn adding_a_member_does_not_tell_who_has_an_account() {
    for world in World::both().await {
        let ada = channel(&world).await;
        world.person("eve", &[]).await;
        let known = add(&world, &ada, " Eve@Example.org ", "viewer").await;
        let unknown = add(&world, &ada, "nobody@example.org", "viewer").await;
        let own = add(&world, &ada, "ada@example.org", "admin").await;
        for answer in [&known, &unknown, &own] {
            assert_eq!((answer.status, &answer.body), (StatusCode::ACCEPTED, &Value::Null));
        }
        let members = world.get(MEMBERS, Some(&ada)).await.body;
        assert_eq!(members["items"].as_array().unwrap().len(), 1);
        assert_eq!(members["items"][0]["user"]["name"], "eve");
        assert_eq!(
            add(&world, &ada, "no address", "viewer").await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
        assert_eq!(
            add(&world, &ada, "eve@example.org", "owner").await.status,
            StatusCode::UNPROCESSABLE_ENTITY
        );
    }
}

#[tokio::test]
async fn a_member_has_one_role_and_may_leave() {
    for world in World::both().await {
        let ada = channel(&world).await;
        let eve = world.person("eve", &[]).await;
        add(&world, &ada, "eve@example.org", "admin").await;
        assert_eq!(world.get(MEMBERS, Some(&eve)).await.status, StatusCode::OK);
        add(&world, &ada, "eve@example.org", "viewer").await;
        assert_eq!(world.get(MEMBERS, Some(&eve)).await.status, StatusCode::FORBIDDEN);
        let members = world.get(MEMBERS, Some(&ada)).await.body;
        assert_eq!(members["items"][0]["role"], "viewer");
        let leave = format!("{MEMBERS}/{}", eve.id);
        assert_eq!(
            world.call(Method::DELETE, &leave, Some(&eve), None).await.status,
            StatusCode::NO_CONTENT
        );
        assert_eq!(
            world.call(Method::DELETE, &leave, Some(&eve), None).await.status,
            StatusCode::NOT_FOUND
        );
        assert_eq!(world.get(MEMBERS, Some(&ada)).await.body["items"], json!([]));
    }
}

#[tokio::test]
async fn only_who_runs_the_channel_changes_its_members() {
    let world = World::new().await;
    let ada = channel(&world).await;
    let eve = world.person("eve", &[]).await;
    let bob = world.person("bob", &[]).await;
    add(&world, &ada, "eve@example.org", "moderator").await;
    for who in [&eve, &bob] {
        assert_eq!(
            add(&world, who, "bob@example.org", "admin").await.status,
            StatusCode::FORBIDDEN
        );
    }
    let out = format!("{MEMBERS}/{}", eve.id);
    assert_eq!(
        world.call(Method::DELETE, &out, Some(&bob), None).await.status,
        StatusCode::FORBIDDEN
    );
    assert_eq!(
        world.call(Method::DELETE, &out, Some(&ada), None).await.status,
        StatusCode::NO_CONTENT
    );
}
