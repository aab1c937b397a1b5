//! The settings of the running server, for those who run it.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use serde_json::json;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::actor::Actor;
use crate::api::Body;
use crate::audit::Act;
use crate::authorize::{Action, Resource, Role};
use crate::error::{Error, Problem, Result};
use crate::platform::Platform;
use crate::secret::Secret;
use crate::settings::{self, Acme, Creators, Mail, Quotas, Retention, Settings, SignUp};

pub(super) fn routes() -> OpenApiRouter<Platform> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// Everything that can be set in the running server.
#[derive(Debug, Serialize, ToSchema)]
struct Shown {
    /// What the server is called.
    name: String,
    /// A sentence about it.
    description: String,
    /// Its address for people.
    public_url: Option<String>,
    /// Names of settings that the configuration file decides.
    fixed_by_config: Vec<&'static str>,
    /// Whom to ask where no mail is sent.
    admin_contact: Option<String>,
    /// Who may make an account.
    sign_up: SignUp,
    /// Who may stream.
    creators: Creators,
    /// Whether a mail address must be shown to be one's own.
    verify_email: bool,
    /// Who must have a second factor.
    required_factor_roles: Vec<Role>,
    /// How many of something one person may have.
    quotas: Quotas,
    /// How long what is written down stays.
    retention: Retention,
    /// The mail server, without its password.
    mail: Option<Mail>,
    /// Names to get certificates for.
    acme: Option<Acme>,
}

impl Shown {
    fn of(platform: &Platform) -> Self {
        let settings = Settings::clone(&platform.settings());
        let fixed = platform.options.public_url.as_ref().map(|_| "public_url");
        Self {
            public_url: platform.public_url(),
            fixed_by_config: fixed.into_iter().collect(),
            name: settings.name,
            description: settings.description,
            admin_contact: settings.admin_contact,
            sign_up: settings.sign_up,
            creators: settings.creators,
            verify_email: settings.verify_email,
            required_factor_roles: settings.required_factor_roles,
            quotas: settings.quotas,
            retention: settings.retention,
            mail: settings.mail,
            acme: settings.acme,
        }
    }
}

/// What to change; what is left out stays, and null removes what can be absent.
#[derive(Debug, Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
struct ChangeSettings {
    /// What the server is called.
    #[schema(min_length = 1, max_length = 80)]
    name: Option<String>,
    /// A sentence about it.
    #[schema(max_length = 300)]
    description: Option<String>,
    /// Its address for people.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 200)]
    public_url: Option<Option<String>>,
    /// Whom to ask where no mail is sent.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<String>, max_length = 200)]
    admin_contact: Option<Option<String>>,
    /// Who may make an account.
    sign_up: Option<SignUp>,
    /// Who may stream.
    creators: Option<Creators>,
    /// Whether a mail address must be shown to be one's own.
    verify_email: Option<bool>,
    /// Who must have a second factor. Needs a fresh sign-in.
    required_factor_roles: Option<Vec<Role>>,
    /// How many of something one person may have.
    quotas: Option<Quotas>,
    /// How long what is written down stays, in days: 1 to 3650.
    retention: Option<Retention>,
    /// The mail server. Needs a fresh sign-in.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Mail>)]
    mail: Option<Option<Mail>>,
    /// The password of the mail server.
    mail_password: Option<Secret>,
    /// Names to get certificates for. Needs a fresh sign-in.
    #[serde(default, deserialize_with = "said")]
    #[schema(value_type = Option<Acme>)]
    acme: Option<Option<Acme>>,
}

/// Tells a null from a field that is not there.
fn said<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}

impl ChangeSettings {
    fn needs_fresh_sign_in(&self) -> bool {
        self.mail.is_some()
            || self.mail_password.is_some()
            || self.acme.is_some()
            || self.required_factor_roles.is_some()
    }

    /// The names of what is changed, for the audit log.
    fn names(&self) -> Vec<&'static str> {
        let named = [
            ("name", self.name.is_some()),
            ("description", self.description.is_some()),
            ("public_url", self.public_url.is_some()),
            ("admin_contact", self.admin_contact.is_some()),
            ("sign_up", self.sign_up.is_some()),
            ("creators", self.creators.is_some()),
            ("verify_email", self.verify_email.is_some()),
            ("required_factor_roles", self.required_factor_roles.is_some()),
            ("quotas", self.quotas.is_some()),
            ("retention", self.retention.is_some()),
            ("mail", self.mail.is_some()),
            ("mail_password", self.mail_password.is_some()),
            ("acme", self.acme.is_some()),
        ];
        named
            .into_iter()
            .filter(|(_, there)| *there)
            .map(|(name, _)| name)
            .collect()
    }

    fn apply(self, to: &Settings) -> Settings {
        let old = to.clone();
        Settings {
            name: self.name.map_or(old.name, |name| name.trim().to_owned()),
            description: self.description.unwrap_or(old.description),
            public_url: self
                .public_url
                .unwrap_or(old.public_url)
                .map(|url| url.trim_end_matches('/').to_owned()),
            admin_contact: self.admin_contact.unwrap_or(old.admin_contact),
            sign_up: self.sign_up.unwrap_or(old.sign_up),
            creators: self.creators.unwrap_or(old.creators),
            verify_email: self.verify_email.unwrap_or(old.verify_email),
            required_factor_roles: self.required_factor_roles.unwrap_or(old.required_factor_roles),
            quotas: self.quotas.unwrap_or(old.quotas),
            retention: self.retention.unwrap_or(old.retention),
            mail: self.mail.unwrap_or(old.mail),
            acme: self.acme.unwrap_or(old.acme),
            home: old.home,
        }
    }
}

/// The settings
#[utoipa::path(get, path = "/api/v1/admin/settings", tag = "admin", responses(
    (status = 200, body = Shown), (status = 401, body = Problem), (status = 403, body = Problem)))]
async fn show(State(platform): State<Platform>, actor: Actor) -> Result<Json<Shown>> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    Ok(Json(Shown::of(&platform)))
}

/// Change settings
#[utoipa::path(patch, path = "/api/v1/admin/settings", tag = "admin", request_body = ChangeSettings, responses(
    (status = 200, body = Shown), (status = 401, body = Problem), (status = 403, body = Problem), (status = 422, body = Problem)))]
async fn change(
    State(platform): State<Platform>,
    actor: Actor,
    Body(wanted): Body<ChangeSettings>,
) -> Result<Json<Shown>> {
    actor.must(Action::ServerConfigure, Resource::Server)?;
    let now = platform.clock.now();
    if wanted.needs_fresh_sign_in() {
        actor.must_be_fresh(now)?;
    }
    let act = Act::by(&actor, "settings.change", ("server", "server")).with(json!({"changed": wanted.names()}));
    let (password, ring, by) = (wanted.mail_password.clone(), platform.ring(), actor.user.clone());
    let changed = wanted.apply(&platform.settings());
    changed.check()?;
    changed.must_have_url_for_mail(&platform)?;
    let saved = changed.clone();
    platform
        .db
        .write(move |c| {
            Box::pin(async move {
                settings::save(c, &saved, Some(&by), now).await?;
                if let Some(password) = password {
                    settings::save_mail_password(c, &ring, &password, now).await?;
                }
                act.record(c, now).await
            })
        })
        .await?;
    platform.set_settings(changed);
    Ok(Json(Shown::of(&platform)))
}

impl Settings {
    /// Refuses to send mails whose links lead nowhere: the host that a request names is anybody's to choose.
    ///
    /// # Errors
    /// [`Error::Field`].
    pub fn must_have_url_for_mail(&self, platform: &Platform) -> Result<()> {
        let known = self.public_url.is_some() || platform.options.public_url.is_some();
        if self.mail.is_some() && !known {
            return Err(Error::field(
                "/mail",
                "mails carry links: set the server's own address, too",
            ));
        }
        Ok(())
    }

    /// Checks what somebody wants to set.
    ///
    /// # Errors
    /// [`Error::Field`] says which setting is wrong.
    pub fn check(&self) -> Result<()> {
        let refuse = |wrong: bool, pointer, detail: &'static str| {
            if wrong {
                Err(Error::field(pointer, detail))
            } else {
                Ok(())
            }
        };
        let long =
            |text: &str, max: usize| text.chars().count() > max || text.chars().any(|c| c.is_control() && c != '\n');
        refuse(
            self.name.trim().is_empty() || long(&self.name, 80),
            "/name",
            "must have 1 to 80 characters",
        )?;
        refuse(
            long(&self.description, 300),
            "/description",
            "must have at most 300 characters",
        )?;
        let contact = self.admin_contact.as_deref().unwrap_or_default();
        refuse(long(contact, 200), "/admin_contact", "must have at most 200 characters")?;
        let url_fits = self.public_url.as_deref().is_none_or(is_web_address);
        refuse(
            !url_fits,
            "/public_url",
            "must be an address such as https://live.example.org, without a path",
        )?;
        let days = [
            self.retention.events_days,
            self.retention.health_days,
            self.retention.audit_days,
        ];
        refuse(
            !days.iter().all(|days| (1..=3_650).contains(days)),
            "/retention",
            "each must be 1 to 3650 days",
        )?;
        let quotas = [
            self.quotas.channels,
            self.quotas.streams,
            self.quotas.keys_per_stream,
            self.quotas.broadcasts_at_once,
        ];
        refuse(
            quotas.iter().any(|quota| *quota > 1_000_000),
            "/quotas",
            "each must be at most 1000000",
        )?;
        refuse(
            self.required_factor_roles.len() > Role::ALL.len(),
            "/required_factor_roles",
            "each role once",
        )?;
        if let Some(mail) = &self.mail {
            refuse(
                mail.host.is_empty() || long(&mail.host, 253),
                "/mail/host",
                "must be a host name",
            )?;
            refuse(mail.port == 0, "/mail/port", "must be 1 to 65535")?;
            refuse(
                long(&mail.username, 200),
                "/mail/username",
                "must have at most 200 characters",
            )?;
            let from_fits = mail.from.parse::<lettre::message::Mailbox>().is_ok();
            refuse(
                !from_fits || long(&mail.from, 254),
                "/mail/from",
                "must be a mail address",
            )?;
        }
        if let Some(acme) = &self.acme {
            let fits =
                !acme.names.is_empty() && acme.names.len() <= 20 && acme.names.iter().all(|name| is_domain(name));
            refuse(!fits, "/acme/names", "must be 1 to 20 domain names")?;
            refuse(
                long(&acme.contact, 254),
                "/acme/contact",
                "must be a mail address, or empty",
            )?;
        }
        Ok(())
    }
}

fn is_web_address(text: &str) -> bool {
    let Ok(url) = text.parse::<url::Url>() else {
        return false;
    };
    matches!(url.scheme(), "http" | "https")
        && url.has_host()
        && matches!(url.path(), "" | "/")
        && url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none()
        && text.len() <= 200
}

fn is_domain(name: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    name.len() <= 253 && name.contains('.') && name.split('.').all(label) && name.parse::<std::net::IpAddr>().is_err()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use crate::authorize::Role;
    use crate::settings;
    use crate::testing::World;

    #[tokio::test]
    async fn settings_are_changed_one_by_one_and_survive() {
        for world in World::both().await {
            let admin = world.person("admin", &[Role::Admin]).await;
            let mail = json!({"host": "mail.example.org", "port": 465, "security": "tls", "username": "hw", "from": "Headwater <hw@example.org>"});
            let body = json!({"name": "Harbour", "sign_up": "open", "mail": mail, "mail_password": "canary-smtp"});
            let changed = world
                .call(Method::PATCH, "/api/v1/admin/settings", Some(&admin), Some(body))
                .await;
            assert_eq!(
                (changed.status.as_u16(), &changed.body["name"]),
                (200, &json!("Harbour")),
                "{}",
                changed.body
            );
            assert!(!changed.body.to_string().contains("canary"));
            let saved = settings::load(&world.platform.db).await.unwrap();
            assert_eq!(
                (saved.name.as_str(), saved.creators),
                ("Harbour", settings::Creators::Request)
            );
            let password = settings::mail_password(&world.platform.db, &world.platform.ring())
                .await
                .unwrap();
            assert_eq!(password.unwrap().expose(), "canary-smtp");
            let gone = world
                .call(
                    Method::PATCH,
                    "/api/v1/admin/settings",
                    Some(&admin),
                    Some(json!({"mail": null})),
                )
                .await;
            assert_eq!(gone.body["mail"], json!(null));
        }
    }

    #[tokio::test]
    async fn what_cannot_be_is_refused_with_the_field() {
        let world = World::new().await;
        let admin = world.person("admin", &[Role::Admin]).await;
        for (body, pointer) in [
            (json!({"name": " "}), "/name"),
            (json!({"public_url": "javascript:alert(1)"}), "/public_url"),
            (json!({"public_url": "https://a.example/path"}), "/public_url"),
            (json!({"public_url": "https://u:p@a.example"}), "/public_url"),
            (
                json!({"retention": {"events_days": 0, "health_days": 1, "audit_days": 1}}),
                "/retention",
            ),
            (json!({"acme": {"names": ["-a.example"], "contact": ""}}), "/acme/names"),
            (json!({"acme": {"names": ["10.0.0.1"], "contact": ""}}), "/acme/names"),
        ] {
            let refused = world
                .call(
                    Method::PATCH,
                    "/api/v1/admin/settings",
                    Some(&admin),
                    Some(body.clone()),
                )
                .await;
            assert_eq!(refused.status, 422, "{body}: {}", refused.body);
            assert_eq!(refused.body["errors"][0]["pointer"], pointer, "{}", refused.body);
        }
        let lin = world.person("lin", &[Role::Moderator]).await;
        assert_eq!(world.get("/api/v1/admin/settings", Some(&lin)).await.status, 403);
        world.platform.clock.advance(std::time::Duration::from_secs(601));
        let stale = world
            .call(
                Method::PATCH,
                "/api/v1/admin/settings",
                Some(&admin),
                Some(json!({"mail": null})),
            )
            .await;
        assert_eq!(stale.body["code"], "fresh_sign_in_required");
    }
}
