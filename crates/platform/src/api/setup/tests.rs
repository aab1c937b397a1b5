use serde_json::{Value, json};

use super::suggested;
use crate::actor::Client;
use crate::mail::testing::Sink;
use crate::people::setup;
use crate::store::testing;
use crate::testing::{World, client};

async fn empty() -> [World; 2] {
    let [sqlite, postgres] = testing::both().await;
    [World::on(sqlite, false).await, World::on(postgres, false).await]
}

/// The secret of the printed link.
async fn printed(world: &World) -> Option<String> {
    let path = setup::link(&world.platform).await.unwrap()?;
    let token = path.expose().strip_prefix("/setup?token=").unwrap();
    Some(token.to_owned())
}

fn wish(token: &str, name: &str) -> Value {
    json!({
        "token": token,
        "owner": {"email": format!("{name}@example.org"), "name": name, "password": "a river runs by"},
        "server": {"name": "Harbour", "public_url": null},
        "organisation": {"name": "Club"},
        "sign_up": "invite",
        "creators": "request",
        "mail": null,
        "acme": null,
    })
}

#[tokio::test]
async fn the_printed_link_makes_an_owner_once() {
    for world in empty().await {
        let token = printed(&world).await.unwrap();
        assert_eq!(
            printed(&world).await.as_deref(),
            Some(token.as_str()),
            "printed again it is the same"
        );
        let check = world.post("/api/v1/setup/check", None, json!({"token": token})).await;
        assert_eq!(
            (check.status.as_u16(), &check.body["public_url_fixed"]),
            (200, &json!(true)),
            "{}",
            check.body
        );
        let wrong = world
            .post("/api/v1/setup/check", None, json!({"token": "guessed"}))
            .await;
        assert_eq!(wrong.status, 410);
        let done = world.post("/api/v1/setup", None, wish(&token, "ann")).await;
        assert_eq!(done.status, 201, "{}", done.body);
        let user = &done.body["user"];
        assert_eq!(
            (&user["creator"], &user["email_verified"]),
            (&json!("granted"), &json!(true))
        );
        assert!(
            done.headers["set-cookie"]
                .to_str()
                .unwrap()
                .starts_with("__Host-session=")
        );
        assert_eq!(world.get("/api/v1/server", None).await.body["name"], "Harbour");
        let again = world.post("/api/v1/setup", None, wish(&token, "eve")).await;
        assert_eq!(again.status, 410);
        assert_eq!(printed(&world).await, None);
    }
}

#[tokio::test]
async fn of_two_who_set_up_at_once_one_does() {
    for world in empty().await {
        let token = printed(&world).await.unwrap();
        let both = ["ann", "ben"].map(|name| world.post("/api/v1/setup", None, wish(&token, name)));
        let mut answers: Vec<u16> = futures_util::future::join_all(both)
            .await
            .iter()
            .map(|answer| answer.status.as_u16())
            .collect();
        answers.sort_unstable();
        assert_eq!(answers, [201, 410]);
        let (owners, homes) = world
            .platform
            .db
            .read(|c| {
                Box::pin(async move {
                    crate::one!(
                        c,
                        (i64, i64),
                        "select (select count(*) from role_bindings where role = 'owner'), (select count(*) from environments)"
                    )
                })
            })
            .await
            .unwrap();
        assert_eq!((owners, homes), (1, 1));
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_setup_is_said_and_the_link_stays_good() {
    let [world, _] = empty().await;
    let token = printed(&world).await.unwrap();
    let changed = |path: &str, value: Value| {
        let mut wish = wish(&token, "ann");
        *wish.pointer_mut(path).unwrap() = value;
        wish
    };
    for (path, value) in [
        ("/owner/email", json!("no address")),
        ("/owner/name", json!(" ")),
        ("/owner/password", json!("short")),
        ("/server/name", json!("")),
        ("/server/public_url", json!("javascript:alert(1)")),
        ("/organisation/name", json!("")),
    ] {
        let answer = world.post("/api/v1/setup", None, changed(path, value)).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["errors"][0]["pointer"]),
            (422, &json!(path))
        );
    }
    assert_eq!(world.post("/api/v1/setup", None, wish(&token, "ann")).await.status, 201);
}

#[tokio::test]
async fn a_mail_is_tried_and_a_refusal_comes_in_the_mail_servers_words() {
    let [world, _] = empty().await;
    let (token, sink) = (printed(&world).await.unwrap(), Sink::start().await);
    let mail = sink.settings();
    let test = async |port: u16, to: &str| {
        let mail = json!({"host": mail.host, "port": port, "security": "none", "username": null, "password": null, "from": mail.from});
        let body = json!({"token": token, "mail": mail, "to": to});
        world.post("/api/v1/setup/test-mail", None, body).await
    };
    let good = test(mail.port, "ann@example.org").await;
    assert_eq!(good.status, 204, "{}", good.body);
    assert!(sink.mails()[0].contains("mail works"));
    let refused = test(mail.port, "nobody@example.org").await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["code"]),
        (409, &json!("mail_refused"))
    );
    assert!(
        refused.body["detail"].as_str().unwrap().contains("no such person here"),
        "{}",
        refused.body
    );
    // Port 1 of this machine: nobody listens there.
    assert_eq!(test(1, "ann@example.org").await.status, 409);
}

#[test]
fn an_address_that_only_this_machine_knows_is_not_suggested() {
    let table = [
        ("live.example.org", true, Some("https://live.example.org")),
        ("192.168.1.5:8080", false, Some("http://192.168.1.5:8080")),
        ("[2001:db8::1]:8080", false, Some("http://[2001:db8::1]:8080")),
        ("localhost:8080", true, None),
        ("127.0.0.1:8080", true, None),
        ("[::1]:8080", true, None),
    ];
    for (host, secure, url) in table {
        let opened = Client {
            secure,
            host: Some(host.into()),
            ..client()
        };
        assert_eq!(suggested(&opened).as_deref(), url, "{host}");
    }
}
