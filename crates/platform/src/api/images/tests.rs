use std::io::Cursor;

use axum::body::Body;
use http::{Method, Request, StatusCode, header};
use image::{ImageFormat, RgbImage};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::images::UPLOAD_BYTES_MAX;
use crate::one;
use crate::testing::{Answer, Person, World};

fn png() -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    RgbImage::new(30, 20).write_to(&mut bytes, ImageFormat::Png).unwrap();
    bytes.into_inner()
}

async fn put(world: &World, who: &Person, path: &str, content_type: &str, bytes: Vec<u8>) -> Answer {
    let request = Request::builder()
        .method(Method::PUT)
        .uri(path)
        .header("sec-fetch-site", "same-origin")
        .header(header::COOKIE, &who.cookie)
        .header(header::CONTENT_TYPE, content_type);
    world.send(request.body(Body::from(bytes)).unwrap()).await
}

async fn channel(world: &World) -> Person {
    let ada = world.person("ada", &[Role::Creator]).await;
    let body = json!({"handle": "ada", "title": "Ada"});
    assert_eq!(
        world.post("/api/v1/channels", Some(&ada), body).await.status,
        StatusCode::CREATED
    );
    ada
}

const AVATAR: &str = "/api/v1/channels/ada/avatar";
const BANNER: &str = "/api/v1/channels/ada/banner";

#[tokio::test]
async fn a_channels_pictures_are_kept_as_they_were_written_here() {
    for world in World::both().await {
        let ada = channel(&world).await;
        // What the sender calls it counts for nothing.
        let set = put(&world, &ada, AVATAR, "text/html", png()).await;
        assert_eq!(set.status, StatusCode::OK, "{}", set.body);
        let avatar = set.body["avatar_url"].as_str().unwrap().to_owned();
        let picture = world.get(&avatar, None).await;
        assert_eq!(picture.status, StatusCode::OK);
        assert_eq!(picture.headers["content-type"], "image/jpeg");
        assert_eq!(picture.headers["x-content-type-options"], "nosniff");
        assert!(
            picture.headers["content-security-policy"]
                .to_str()
                .unwrap()
                .contains("sandbox")
        );
        assert!(picture.headers["cache-control"].to_str().unwrap().contains("immutable"));
        let again = Request::get(&avatar).header(header::IF_NONE_MATCH, &picture.headers["etag"]);
        let again = world.send(again.body(Body::empty()).unwrap()).await;
        assert_eq!((again.status, again.body), (StatusCode::NOT_MODIFIED, Value::Null));

        let banner = put(&world, &ada, BANNER, "image/png", png()).await;
        assert!(banner.body["banner_url"].is_string() && banner.body["avatar_url"] == avatar.as_str());
        let other = put(&world, &ada, AVATAR, "image/png", png()).await;
        assert_ne!(other.body["avatar_url"], avatar.as_str());
        assert_eq!(world.get(&avatar, None).await.status, StatusCode::NOT_FOUND);
        let gone = world.call(Method::DELETE, AVATAR, Some(&ada), None).await;
        assert_eq!((gone.status, &gone.body["avatar_url"]), (StatusCode::OK, &Value::Null));
        let count = world
            .platform
            .db
            .read(|c| Box::pin(async move { one!(c, (i64,), "select count(*) from images") }));
        assert_eq!(count.await.unwrap().0, 1);
    }
}

#[tokio::test]
async fn what_is_no_picture_is_refused_and_never_a_fault() {
    let world = World::new().await;
    let ada = channel(&world).await;
    for (bytes, status) in [
        (b"<svg/>".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (b"GIF89a".to_vec(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (Vec::new(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        (png()[..40].to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (b"\xff\xd8\xff".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (b"RIFF\0\0\0\0WEBP".to_vec(), StatusCode::UNPROCESSABLE_ENTITY),
        (vec![0; UPLOAD_BYTES_MAX + 1], StatusCode::PAYLOAD_TOO_LARGE),
    ] {
        let refused = put(&world, &ada, BANNER, "image/png", bytes).await;
        assert_eq!(refused.status, status, "{}", refused.body);
        assert_eq!(refused.headers["content-type"], "application/problem+json");
    }
}

#[tokio::test]
async fn a_strangers_picture_is_not_even_read() {
    let world = World::new().await;
    channel(&world).await;
    let eve = world.person("eve", &[Role::Creator]).await;
    let refused = put(&world, &eve, AVATAR, "image/png", vec![0; UPLOAD_BYTES_MAX + 1]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    let missing = world.get("/api/v1/images/im22222222222222222222222222", None).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
    assert_eq!(
        world.get("/api/v1/images/..%2f..%2fetc", None).await.status,
        StatusCode::NOT_FOUND
    );
}
