//! What every page must know first.

use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Client;
use crate::error::Result;
use crate::people::passkeys;
use crate::platform::Platform;
use crate::settings::{Creators, SignUp};
use crate::{all, error};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(server))
}

/// The server, as everybody may know it.
#[derive(Debug, Serialize, ToSchema)]
pub struct Server {
    /// What it is called.
    pub name: String,
    /// A sentence about it.
    pub description: String,
    /// Whether it has an owner.
    pub setup_done: bool,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// Who may stream.
    pub creators: Creators,
    /// Whether it sends mail.
    pub mail: bool,
    /// Whom to ask where it does not.
    pub admin_contact: Option<String>,
    /// Whether nobody can listen to this page.
    pub secure: bool,
    /// Whether passkeys work on this page.
    pub passkeys: Passkeys,
    /// Where else one may sign in.
    pub providers: Vec<Provider>,
    /// Its address for people.
    pub public_url: Option<String>,
    /// Its version.
    pub version: &'static str,
    /// Where to publish.
    pub ingest: Ingest,
}

/// Whether passkeys work on this page.
#[derive(Debug, Serialize, ToSchema)]
pub struct Passkeys {
    /// They do.
    pub available: bool,
    /// Why they do not.
    pub reason: Option<&'static str>,
}

/// A provider of identities.
#[derive(Debug, Serialize, ToSchema, sqlx::FromRow)]
pub struct Provider {
    /// Its place in addresses.
    pub slug: String,
    /// What it is called.
    pub name: String,
}

/// Where to publish: addresses without the key.
#[derive(Debug, Serialize, ToSchema)]
pub struct Ingest {
    /// By RTMP.
    pub rtmp_url: Option<String>,
    /// By RTMP over TLS.
    pub rtmps_url: Option<String>,
}

impl Ingest {
    /// The addresses at the server's public host, or else at the host that the page was opened at. A `localhost` that a proxy
    /// made of it would be the viewer's own machine: then there are none.
    pub fn of(platform: &Platform, client: &Client) -> Self {
        let public = platform
            .public_url()
            .and_then(|url| Some(url::Url::parse(&url).ok()?.host_str()?.to_owned()));
        let opened = client.host_name();
        let opened = opened.filter(|host| client.secure || *host != "localhost");
        let fill = |url: &Option<String>| match (url.as_deref()?, public.as_deref().or(opened)) {
            (url, Some(host)) => Some(url.replace("{host}", host)),
            (url, None) => (!url.contains("{host}")).then(|| url.to_owned()),
        };
        Self {
            rtmp_url: fill(&platform.options.rtmp_url),
            rtmps_url: fill(&platform.options.rtmps_url),
        }
    }
}

/// What every page must know first
#[utoipa::path(get, path = "/api/v1/server", tag = "server", responses((status = 200, body = Server)))]
async fn server(State(platform): State<Platform>, client: Client) -> Result<axum::Json<Server>, error::Error> {
    let providers = platform
        .db
        .read(|c| {
            Box::pin(async move {
                all!(
                    c,
                    Provider,
                    "select slug, name from identity_providers where enabled order by name limit 50"
                )
            })
        })
        .await?;
    let settings = platform.fresh_settings().await?.clone();
    let reason = passkeys::unavailable(&platform, &client);
    Ok(axum::Json(Server {
        name: settings.name.clone(),
        description: settings.description.clone(),
        setup_done: settings.setup_done(),
        sign_up: settings.sign_up,
        creators: settings.creators,
        mail: settings.mail.is_some(),
        admin_contact: settings.admin_contact.clone(),
        secure: client.secure,
        passkeys: Passkeys {
            available: reason.is_none(),
            reason,
        },
        providers,
        public_url: platform.public_url(),
        version: env!("CARGO_PKG_VERSION"),
        ingest: Ingest::of(&platform, &client),
    }))
}

#[cfg(test)]
mod tests {
    use crate::testing::World;

    #[tokio::test]
    async fn a_page_learns_where_to_publish_by_the_host_it_was_opened_at() {
        for world in World::both().await {
            let server = world.get("/api/v1/server", None).await;
            assert_eq!(server.status, 200, "{}", server.body);
            assert_eq!(server.body["ingest"]["rtmp_url"], "rtmp://live.example.org:1935/live");
            assert_eq!(server.body["setup_done"], true);
            assert_eq!(server.body["passkeys"]["available"], true);
        }
    }
}
