//! Callbacks against small scripts as users have them.

use std::net::IpAddr;

use base64::Engine;
use hmac::{Hmac, KeyInit, Mac};
use hub::{Name, Protocol};

use super::*;
use crate::clock::Time;
use crate::outbound::testing::{Heard, Server, answer, local};

fn question(event: Event, stream: &str) -> Question {
    Question {
        event,
        stream: Secret::new(stream),
        query: Secret::new("token=t"),
        app: "live".into(),
        tc_url: "rtmp://example.org/live".into(),
        agent: "test".into(),
        address: IpAddr::from([192, 0, 2, 7]),
        protocol: Protocol::Rtmp,
        client: 4,
    }
}

fn options(server: &Server, form: Form) -> Options {
    Options {
        publish: Some(server.url("/auth")),
        play: Some(server.url("/play")),
        end: Some(server.url("/done")),
        form,
        time_max: Duration::from_secs(5),
        cache: Duration::ZERO,
        fallback: Fallback::Deny,
    }
}

fn callbacks(options: Options) -> Callbacks {
    Callbacks::new(local(), Clock::manual(Time(1_700_000_000_000_000)), options)
}

fn json() -> Form {
    Form::Json {
        secret: Secret::new("s3cret"),
    }
}

/// A script as users of nginx-rtmp have it: it looks up the name and answers by status alone.
fn script(heard: &Heard) -> Option<String> {
    let form = match heard.head.split_whitespace().nth(1)?.split_once('?') {
        Some((_, query)) => query.to_owned(),
        None => heard.body.clone(),
    };
    let fields: std::collections::HashMap<String, String> =
        url::form_urlencoded::parse(form.as_bytes()).into_owned().collect();
    Some(match fields["name"].as_str() {
        "good" => answer("200 OK", "", "anything"),
        "empty" => "HTTP/1.0 204 No Content\r\n\r\n".into(),
        "alias" => answer("302 Found", "Location: ada\r\n", ""),
        "stay" => answer("304 Not Modified", "", ""),
        "relay" => answer("302 Found", "Location: RTMP://127.0.0.1/other/name\r\n", ""),
        "page" => answer("302 Found", "Location: http://example.org/login\r\n", ""),
        "broken" => answer("500 Internal Server Error", "", ""),
        _ => answer("403 Forbidden", "", "go away"),
    })
}

fn is_denied(verdict: Option<&Verdict>) -> bool {
    matches!(verdict, Some(Verdict::Deny { .. }))
}

#[tokio::test]
async fn a_script_for_nginx_rtmp_decides_by_its_status() {
    for form in [Form::NginxPost, Form::NginxGet] {
        let server = Server::start(script).await;
        let callbacks = callbacks(options(&server, form));
        for event in [Event::Publish, Event::Play] {
            let ask = |stream| {
                let question = question(event, stream);
                let callbacks = &callbacks;
                async move { callbacks.ask(&question).await }
            };
            assert_eq!(ask("good").await, Some(Verdict::Allow));
            assert_eq!(ask("empty").await, Some(Verdict::Allow));
            assert_eq!(ask("stay").await, Some(Verdict::Allow));
            assert_eq!(ask("alias").await, Some(Verdict::AllowAs(Name::parse("ada").unwrap())));
            assert!(is_denied(ask("page").await.as_ref()));
            assert!(is_denied(ask("bad").await.as_ref()));
            assert!(is_denied(ask("broken").await.as_ref()));
            let reason = "redirects to another server are not supported yet".into();
            assert_eq!(ask("relay").await, Some(Verdict::Deny { reason }));
        }
    }
}

#[tokio::test]
async fn a_script_for_nginx_rtmp_hears_of_the_end() {
    let server = Server::start(script).await;
    let callbacks = callbacks(options(&server, Form::NginxPost));
    for event in [Event::PublishDone, Event::PlayDone] {
        assert_eq!(callbacks.ask(&question(event, "bad")).await, Some(Verdict::Allow));
        let heard = server.last();
        assert!(heard.head.starts_with("POST /done "), "{heard:?}");
        assert_eq!(heard.header("content-type"), Some("application/x-www-form-urlencoded"));
        assert!(
            heard.body.contains("&clientid=4&call=done&name=bad&token=t"),
            "{heard:?}"
        );
    }
}

#[tokio::test]
async fn nobody_is_asked_where_no_address_is_set() {
    let server = Server::start(script).await;
    let mut options = options(&server, Form::NginxPost);
    options.play = None;
    let callbacks = callbacks(options);
    assert_eq!(callbacks.ask(&question(Event::Play, "good")).await, None);
    assert_eq!(server.count(), 0);
}

#[tokio::test]
async fn the_json_form_is_signed_and_whole() {
    let server = Server::saying(&answer("200 OK", "", "")).await;
    let callbacks = callbacks(options(&server, json()));
    assert_eq!(
        callbacks.ask(&question(Event::Publish, "k3y")).await,
        Some(Verdict::Allow)
    );
    let heard = server.last();
    let (id, timestamp) = (
        heard.header("webhook-id").unwrap(),
        heard.header("webhook-timestamp").unwrap(),
    );
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(b"s3cret").unwrap();
    mac.update(format!("{id}.{timestamp}.{}", heard.body).as_bytes());
    let signature = base64::engine::general_purpose::STANDARD.encode(mac.finalize().into_bytes());
    assert_eq!(
        heard.header("webhook-signature"),
        Some(format!("v1,{signature}").as_str())
    );
    assert_eq!(timestamp, "1700000000");
    let body: serde_json::Value = serde_json::from_str(&heard.body).unwrap();
    let whole = serde_json::json!({
        "id": id, "at": "2023-11-14T22:13:20.000Z", "event": "publish", "key": "k3y", "query": "token=t", "app": "live",
        "tc_url": "rtmp://example.org/live", "agent": "test", "address": "192.0.2.7", "protocol": "rtmp", "client": 4,
    });
    assert_eq!(body, whole);
    callbacks.ask(&question(Event::PlayDone, "ada")).await;
    let body: serde_json::Value = serde_json::from_str(&server.last().body).unwrap();
    assert_eq!((&body["event"], &body["name"]), (&"play_done".into(), &"ada".into()));
    assert!(body.get("key").is_none());
}

#[tokio::test]
async fn the_json_form_takes_names_and_reasons() {
    let cases = [
        (
            "200 OK",
            r#"{"name":"ada"}"#,
            Some(Verdict::AllowAs(Name::parse("ada").unwrap())),
        ),
        ("200 OK", "not json", Some(Verdict::Allow)),
        ("200 OK", r#"{"name":"../x"}"#, None),
        (
            "403 Forbidden",
            "{\"reason\":\"pay\\r\\n first\"}",
            Some(Verdict::deny("pay first")),
        ),
        ("404 Not Found", "", None),
        ("429 Too Many Requests", "", Some(Verdict::unavailable())),
        ("502 Bad Gateway", "", Some(Verdict::unavailable())),
    ];
    for (status, body, expected) in cases {
        let server = Server::saying(&answer(status, "", body)).await;
        let verdict = callbacks(options(&server, json()))
            .ask(&question(Event::Publish, "k"))
            .await;
        match expected {
            Some(expected) => assert_eq!(verdict, Some(expected), "{status} {body}"),
            None => assert!(is_denied(verdict.as_ref()), "{status} {body}"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_is_slow_or_dead_is_replaced_by_the_stated_fallback() {
    let slow = Server::start(|_| None).await;
    let started = tokio::time::Instant::now();
    for form in [json(), Form::NginxPost] {
        let mut options = options(&slow, form);
        let denies = callbacks(options.clone()).ask(&question(Event::Publish, "k")).await;
        assert_eq!(denies, Some(Verdict::unavailable()));
        options.fallback = Fallback::Allow;
        let allows = callbacks(options).ask(&question(Event::Publish, "k")).await;
        assert_eq!(allows, Some(Verdict::Allow));
    }
    assert_eq!(started.elapsed(), Duration::from_secs(20));

    let dead = options(&Server::saying("").await, Form::NginxPost);
    assert_eq!(
        callbacks(dead).ask(&question(Event::Publish, "k")).await,
        Some(Verdict::unavailable())
    );
}

#[tokio::test]
async fn an_address_that_may_not_be_called_lets_nobody_in() {
    let server = Server::start(script).await;
    let mut options = options(&server, Form::NginxPost);
    options.fallback = Fallback::Allow;
    let callbacks = Callbacks::new(Outbound::new(Vec::new()), Clock::System, options);
    let verdict = callbacks.ask(&question(Event::Publish, "good")).await;
    assert_eq!(verdict, Some(Verdict::unavailable()));
    assert_eq!(server.count(), 0);
}

#[tokio::test(start_paused = true)]
async fn whoever_was_never_asked_about_does_not_come_in_by_the_fallback() {
    let slow = Server::start(|_| None).await;
    let mut options = options(&slow, Form::NginxPost);
    options.fallback = Fallback::Allow;
    let callbacks = callbacks(options);
    let asked = question(Event::Publish, "k");
    let crowd = (0..2 * QUESTIONS_MAX).map(|_| callbacks.ask(&asked));
    let verdicts = futures_util::future::join_all(crowd).await;
    let allowed = verdicts
        .iter()
        .filter(|verdict| **verdict == Some(Verdict::Allow))
        .count();
    let never_asked = verdicts
        .iter()
        .filter(|verdict| **verdict == Some(Verdict::unavailable()))
        .count();
    assert_eq!(allowed, slow.count());
    assert!(never_asked > 0);
    assert_eq!(allowed + never_asked, verdicts.len());
}

#[tokio::test(start_paused = true)]
async fn a_yes_is_remembered_for_its_time_and_a_no_never() {
    let server = Server::start(script).await;
    let mut options = options(&server, Form::NginxPost);
    options.cache = Duration::from_secs(60);
    let callbacks = callbacks(options);
    let good = question(Event::Publish, "alias");
    let first = callbacks.ask(&good).await;
    assert_eq!(
        callbacks
            .ask(&Question {
                client: 5,
                ..good.clone()
            })
            .await,
        first
    );
    assert_eq!(server.count(), 1);

    // Another address, query, application or event is another question.
    let elsewhere = IpAddr::from([192, 0, 2, 8]);
    callbacks
        .ask(&Question {
            address: elsewhere,
            ..good.clone()
        })
        .await;
    callbacks
        .ask(&Question {
            query: Secret::new("token=u"),
            ..good.clone()
        })
        .await;
    callbacks
        .ask(&Question {
            app: "liv".into(),
            stream: Secret::new("ealias"),
            ..good.clone()
        })
        .await;
    callbacks
        .ask(&Question {
            event: Event::Play,
            ..good.clone()
        })
        .await;
    assert_eq!(server.count(), 5);

    callbacks.ask(&question(Event::Publish, "bad")).await;
    callbacks.ask(&question(Event::Publish, "bad")).await;
    callbacks.ask(&question(Event::PublishDone, "good")).await;
    callbacks.ask(&question(Event::PublishDone, "good")).await;
    assert_eq!(server.count(), 9);

    tokio::time::advance(Duration::from_secs(61)).await;
    callbacks.ask(&good).await;
    assert_eq!(server.count(), 10);
}

#[test]
fn a_question_is_printed_without_what_the_peer_wrote() {
    let mut asked = question(Event::Publish, "canary");
    asked.query = Secret::new("canary");
    asked.app = "canary".into();
    asked.tc_url = "rtmp://canary".into();
    assert!(!format!("{asked:?}").contains("canary"));
}
