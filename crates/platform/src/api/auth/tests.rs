//! Making an account, signing in and out: what all of their tests share.

mod credentials;
mod factors;
mod guessing;
mod sign_in;
mod sign_up;

use std::collections::BTreeSet;
use std::time::Duration;

use axum::body::Body;
use http::{Method, Request};
use serde_json::{Value, json};

use crate::authorize::Role;
use crate::mail::testing::Sink;
use crate::people::email::Email;
use crate::people::users::{self, Account};
use crate::secret::Secret;
use crate::settings::{Settings, SignUp};
use crate::testing::{Answer, Person, World};

const PASSWORD: &str = "a river runs by";

/// Somebody who has a password.
async fn with_password(world: &World, name: &str) {
    let account = Account {
        email: Email::new(format!("{name}@example.org")),
        name: name.into(),
        password: Secret::new(PASSWORD),
        role: None,
    };
    users::create(&world.platform, account).await.unwrap();
}

async fn settings(world: &World, change: impl FnOnce(&mut Settings)) {
    let mut settings = world.platform.settings().as_ref().clone();
    change(&mut settings);
    world.platform.set_settings(settings);
}

async fn sign_in(world: &World, email: &str, password: &str) -> Answer {
    let body = json!({"email": email, "password": password});
    world.post("/api/v1/auth/sign-in", None, body).await
}

/// The cookies that an answer sets, as a browser sends them back.
fn browser(answer: &Answer) -> Person {
    let set = answer.headers.get_all("set-cookie").iter();
    let pairs: Vec<&str> = set
        .map(|cookie| cookie.to_str().unwrap().split(';').next().unwrap())
        .collect();
    Person {
        id: crate::id::Kind::User.random(),
        cookie: pairs.join("; "),
    }
}

/// The secrets of the links in mails.
fn tokens(sink: &Sink) -> Vec<String> {
    let mails = sink.mails();
    let link = |mail: &String| {
        let (_, rest) = mail.split_once("token=")?;
        Some(
            rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '-' || c == '_'))
                .next()?
                .to_owned(),
        )
    };
    mails.iter().filter_map(link).collect()
}

async fn mails(world: &World) -> Sink {
    let sink = Sink::start().await;
    let mail = sink.settings();
    settings(world, |settings| {
        settings.sign_up = SignUp::Open;
        settings.mail = Some(mail);
    })
    .await;
    sink
}

fn wish(name: &str) -> Value {
    json!({"email": format!("{name}@example.org"), "name": name, "password": PASSWORD})
}
