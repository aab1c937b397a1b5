//! A platform for tests: a fresh database, a clock that stands, an owner, and requests without a socket.

use std::net::{IpAddr, Ipv4Addr};

use axum::Router;
use axum::body::Body;
use http::{HeaderMap, Method, Request, StatusCode, header};
use http_body_util::BodyExt;
use serde_json::Value;
use tower_service::Service;

use crate::actor::Client;
use crate::authorize::{Role, SERVER, Scope};
use crate::clock::{Clock, Time};
use crate::id::{Id, Kind};
use crate::people::{roles, sessions};
use crate::platform::{Options, Platform};
use crate::secret::KeyRing;
use crate::settings::Home;
use crate::store::testing::{self, TestDb};
use crate::{api, ladder, run, settings};

/// A platform with its API.
#[derive(Debug)]
pub struct World {
    /// The platform.
    pub platform: Platform,
    router: Router,
    _db: TestDb,
    _folder: tempfile::TempDir,
}

/// Somebody with a session.
#[derive(Clone, Debug)]
pub struct Person {
    /// Who.
    pub id: Id,
    /// What their browser sends.
    pub cookie: String,
}

/// An answer of the API.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its status.
    pub status: StatusCode,
    /// Its headers.
    pub headers: HeaderMap,
    /// Its body; null where it has none, a string where it is not JSON.
    pub body: Value,
}

/// Where tests come from: an address of the documentation's range (RFC 5737).
pub const ADDRESS: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

impl World {
    /// One on each engine, set up: an organisation and an environment, no people.
    pub async fn both() -> [Self; 2] {
        let [sqlite, postgres] = testing::both().await;
        [Self::on(sqlite, true).await, Self::on(postgres, true).await]
    }

    /// One on SQLite, set up.
    pub async fn new() -> Self {
        Self::on(testing::sqlite().await, true).await
    }

    /// One on SQLite, set up, with another configuration.
    ///
    /// # Panics
    /// If there is no place for it.
    pub async fn with(change: impl FnOnce(&mut Options)) -> Self {
        Self::start(testing::sqlite().await, true, change).await
    }

    /// One on that database; `set_up` or as after the first start.
    ///
    /// # Panics
    /// If there is no place for it.
    pub async fn on(db: TestDb, set_up: bool) -> Self {
        Self::start(db, set_up, |_| {}).await
    }

    async fn start(db: TestDb, set_up: bool, change: impl FnOnce(&mut Options)) -> Self {
        let folder = tempfile::tempdir().expect("a folder for the test");
        let clock = Clock::manual(Time(1_800_000_000_000_000));
        let mut options = Options {
            data_dir: folder.path().into(),
            public_url: Some("https://live.example.org".into()),
            rtmp_url: Some("rtmp://{host}:1935/live".into()),
            rtmps_url: None,
            live: hub::Settings::default(),
            ladder_presets: ladder::PRESETS.map(String::from).into(),
            ladder_webhook: None,
            // Servers that tests start are on this machine.
            outbound_allow: vec!["127.0.0.0/8".parse().expect("a network")],
            callbacks: None,
            publish_tokens: None,
        };
        change(&mut options);
        let platform = Platform::start(db.db.clone(), KeyRing::random(), clock, options)
            .await
            .expect("the platform starts");
        if set_up {
            make_home(&platform).await;
        }
        Self {
            router: api::router_without_limits(platform.clone()),
            platform,
            _db: db,
            _folder: folder,
        }
    }

    /// The same, where nobody may ask too often.
    #[must_use]
    pub fn limited(self) -> Self {
        Self {
            router: api::router(self.platform.clone()),
            ..self
        }
    }

    /// A person with these roles on the whole server, signed in just now.
    ///
    /// # Panics
    /// If the name is taken.
    pub async fn person(&self, name: &'static str, roles: &'static [Role]) -> Person {
        let now = self.platform.clock.now();
        let id = Kind::User.random();
        let user = id.clone();
        let secret = self
            .platform
            .db
            .write(move |c| {
                Box::pin(async move {
                    run!(
                        c,
                        "insert into users (id, email, email_key, email_verified_at, name, locale, created_at, updated_at)
                         values ($1, $2, $2, $3, $4, 'en', $3, $3)",
                        &user,
                        format!("{name}@example.org"),
                        now,
                        name
                    )?;
                    for role in roles {
                        roles::grant(c, &user, *role, (Scope::Server, SERVER), None, now).await?;
                    }
                    let client = client();
                    let how = sessions::SignIn {
                        method: "password",
                        user_agent: "test",
                        client: &client,
                    };
                    Ok(sessions::open(c, &user, how, now).await?.1)
                })
            })
            .await
            .expect("a person for the test");
        Person {
            id,
            cookie: format!("{}={}", api::COOKIE_SECURE, secret.expose()),
        }
    }

    /// `GET`, as somebody or nobody.
    pub async fn get(&self, path: &str, who: Option<&Person>) -> Answer {
        self.call(Method::GET, path, who, None).await
    }

    /// `POST` with a JSON body.
    pub async fn post(&self, path: &str, who: Option<&Person>, body: Value) -> Answer {
        self.call(Method::POST, path, who, Some(body)).await
    }

    /// Any request, from a page of our own.
    ///
    /// # Panics
    /// If the path is no path.
    pub async fn call(&self, method: Method, path: &str, who: Option<&Person>, body: Option<Value>) -> Answer {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header("sec-fetch-site", "same-origin");
        if let Some(person) = who {
            request = request.header(header::COOKIE, &person.cookie);
        }
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let body = body.map_or_else(Body::empty, |body| Body::from(body.to_string()));
        self.send(request.body(body).expect("a request")).await
    }

    /// A request that the test wrote itself.
    ///
    /// # Panics
    /// If the body of the answer breaks off.
    pub async fn send(&self, mut request: Request<Body>) -> Answer {
        if request.extensions().get::<Client>().is_none() {
            request.extensions_mut().insert(client());
        }
        let response = self
            .router
            .clone()
            .call(request)
            .await
            .expect("a router always answers");
        let (parts, body) = response.into_parts();
        let bytes = body.collect().await.expect("a whole body").to_bytes();
        let text = || Value::String(String::from_utf8_lossy(&bytes).into_owned());
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).unwrap_or_else(|_| text())
        };
        Answer {
            status: parts.status,
            headers: parts.headers,
            body,
        }
    }
}

/// Whoever asks in tests.
pub fn client() -> Client {
    Client {
        address: ADDRESS,
        secure: true,
        host: Some("live.example.org".into()),
    }
}

async fn make_home(platform: &Platform) {
    let home = Home {
        organisation: Kind::Organisation.random(),
        environment: Kind::Environment.random(),
    };
    let now = platform.clock.now();
    let settings = settings::Settings {
        home: Some(home.clone()),
        ..settings::Settings::default()
    };
    let saved = settings.clone();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                run!(
                    c,
                    "insert into organisations (id, name, created_at) values ($1, 'Home', $2)",
                    &home.organisation,
                    now
                )?;
                run!(
                    c,
                    "insert into environments (id, organisation_id, name, created_at) values ($1, $2, 'Home', $3)",
                    &home.environment,
                    &home.organisation,
                    now
                )?;
                settings::save(c, &saved, None, now).await
            })
        })
        .await
        .expect("a home for the test");
    platform.set_settings(settings);
}
