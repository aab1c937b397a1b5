//! The provider's side of a sign-in: where to send the browser, and what its answer is worth (OpenID Connect Core §3.1).

use std::sync::Arc;

use openidconnect::core::{CoreClient, CoreClientAuthMethod, CoreIdTokenClaims, CoreResponseType};
use openidconnect::{
    AuthType, AuthenticationFlow, AuthorizationCode, ClaimsVerificationError, ClientId, ClientSecret, CsrfToken,
    EndpointMaybeSet, EndpointNotSet, EndpointSet, JwsSigningAlgorithm, Nonce, PkceCodeChallenge, PkceCodeVerifier,
    RedirectUrl, RequestTokenError, Scope, SignatureVerificationError, TokenResponse,
};

use super::Refusal;
use super::discovery::{self, AGAIN_AFTER, KNOWN_FOR, Metadata};
use crate::error::{Error, Result};
use crate::people::identities::Known;
use crate::people::providers::Provider;
use crate::platform::Platform;
use crate::secret::Secret;

type Client =
    CoreClient<EndpointSet, EndpointNotSet, EndpointNotSet, EndpointNotSet, EndpointMaybeSet, EndpointMaybeSet>;

/// Bytes of a subject (OpenID Connect Core §2, `sub`).
const SUBJECT_LEN_MAX: usize = 255;

/// What a provider says of whoever signed in there.
#[derive(Clone, Debug)]
pub(super) struct Person {
    pub(super) known: Known,
    /// Whether the address that it told is theirs.
    pub(super) email_verified: bool,
    pub(super) name: Option<String>,
}

/// What makes this sign-in this one.
pub(super) struct Marks<'a> {
    pub(super) state: &'a Secret,
    pub(super) nonce: &'a str,
    pub(super) verifier: &'a str,
}

/// Where the provider sends the browser back to.
///
/// # Errors
/// [`Error::Conflict`] where the server does not know its own address.
pub fn redirect_uri(platform: &Platform, slug: &str) -> Result<String> {
    let url = platform.public_url().ok_or(Error::Conflict {
        code: "public_url_missing",
        detail: "signing in with a provider needs the server's own address: set http.public_url".into(),
    })?;
    let base = url.trim_end_matches('/');
    Ok(format!("{base}/api/v1/auth/oidc/{slug}/callback"))
}

/// Where to send the browser.
pub(super) async fn location(platform: &Platform, provider: &Provider, marks: Marks<'_>) -> Result<String, Refusal> {
    let metadata = discovery::metadata(platform, &provider.issuer, KNOWN_FOR).await?;
    let client = with_keys(platform, provider, &metadata)?;
    let verifier = PkceCodeVerifier::new(marks.verifier.to_owned());
    let (state, nonce) = (marks.state.expose().to_owned(), marks.nonce.to_owned());
    let (url, _, _) = client
        .authorize_url(
            AuthenticationFlow::<CoreResponseType>::AuthorizationCode,
            move || CsrfToken::new(state),
            move || Nonce::new(nonce),
        )
        .add_scope(Scope::new("email".into()))
        .add_scope(Scope::new("profile".into()))
        .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
        .url();
    if !matches!(url.scheme(), "https" | "http") {
        return Err(Refusal::Unavailable("its address is no web address".into()));
    }
    Ok(url.into())
}

fn with_keys(platform: &Platform, provider: &Provider, metadata: &Arc<Metadata>) -> Result<Client, Refusal> {
    let secret = provider.secret(&platform.ring())?;
    let redirect = RedirectUrl::new(redirect_uri(platform, &provider.slug)?)
        .map_err(|error| Error::Fault(format!("the public URL is none: {error}")))?;
    let methods = metadata.token_endpoint_auth_methods_supported();
    let has = |method| methods.is_none_or(|methods| methods.contains(&method));
    // Basic is what is meant where nothing is said (OpenID Connect Discovery §3).
    let auth = if has(CoreClientAuthMethod::ClientSecretBasic) || !has(CoreClientAuthMethod::ClientSecretPost) {
        AuthType::BasicAuth
    } else {
        AuthType::RequestBody
    };
    let secret = secret.map(|secret| ClientSecret::new(secret.expose().to_owned()));
    let client = CoreClient::from_provider_metadata(
        Metadata::clone(metadata),
        ClientId::new(provider.client_id.clone()),
        secret,
    );
    Ok(client.set_redirect_uri(redirect).set_auth_type(auth))
}

/// Refuses the answer of another provider than the one that was asked (RFC 9207 §2.4).
pub(super) async fn check_issuer(platform: &Platform, provider: &Provider, named: Option<&str>) -> Result<(), Refusal> {
    let metadata = discovery::metadata(platform, &provider.issuer, KNOWN_FOR).await?;
    let must = metadata
        .additional_metadata()
        .authorization_response_iss_parameter_supported;
    match named {
        Some(named) if named != provider.issuer => Err(Refusal::Failed("it comes from another provider".into())),
        None if must => Err(Refusal::Failed("it does not say which provider it comes from".into())),
        _ => Ok(()),
    }
}

/// Gives the code for an ID token, and reads that.
pub(super) async fn redeem(
    platform: &Platform,
    provider: &Provider,
    code: String,
    marks: Marks<'_>,
) -> Result<Person, Refusal> {
    let metadata = discovery::metadata(platform, &provider.issuer, KNOWN_FOR).await?;
    let client = with_keys(platform, provider, &metadata)?;
    let response = client
        .exchange_code(AuthorizationCode::new(code))
        .map_err(|_| Refusal::Unavailable("it has no token endpoint".into()))?
        .set_pkce_verifier(PkceCodeVerifier::new(marks.verifier.to_owned()))
        .request_async(&platform.outbound)
        .await
        .map_err(|error| match error {
            // Its description could repeat the code.
            RequestTokenError::ServerResponse(answer) => {
                Refusal::Failed(format!("the code is not taken: {}", answer.error().as_ref()))
            }
            RequestTokenError::Request(reason) => Refusal::Unavailable(reason.to_string()),
            error => Refusal::Unavailable(error.to_string()),
        })?;
    let token = response
        .id_token()
        .ok_or_else(|| Refusal::Failed("there is no ID token".into()))?;
    let nonce = Nonce::new(marks.nonce.to_owned());
    let claims = match token.claims(&verifier(&client, &metadata), &nonce) {
        // The provider may have new keys.
        Err(ClaimsVerificationError::SignatureVerification(SignatureVerificationError::NoMatchingKey)) => {
            let metadata = discovery::metadata(platform, &provider.issuer, AGAIN_AFTER).await?;
            let client = with_keys(platform, provider, &metadata)?;
            token.claims(&verifier(&client, &metadata), &nonce).cloned()
        }
        claims => claims.cloned(),
    };
    person(provider, &claims.map_err(|error| Refusal::Failed(error.to_string()))?)
}

/// Judges ID tokens by the provider's own keys only: a secret that two know signs nothing that one of them could not have made up.
fn verifier<'a>(
    client: &'a Client,
    metadata: &Metadata,
) -> openidconnect::IdTokenVerifier<'a, openidconnect::core::CoreJsonWebKey> {
    let algorithms = metadata.id_token_signing_alg_values_supported().iter();
    let own = algorithms.filter(|algorithm| !algorithm.uses_shared_secret() && algorithm.key_type().is_some());
    client.id_token_verifier().set_allowed_algs(own.cloned())
}

fn person(provider: &Provider, claims: &CoreIdTokenClaims) -> Result<Person, Refusal> {
    let subject = claims.subject().as_str();
    if subject.is_empty() || subject.len() > SUBJECT_LEN_MAX || subject.contains('\0') {
        return Err(Refusal::Failed("its name for the person is none".into()));
    }
    let name = claims.name().and_then(|name| name.get(None));
    Ok(Person {
        known: Known {
            provider: provider.id.clone(),
            issuer: provider.issuer.clone(),
            subject: subject.to_owned(),
            email: claims.email().map(|email| email.as_str().to_owned()),
        },
        email_verified: claims.email_verified() == Some(true),
        name: name.map(|name| name.as_str().to_owned()),
    })
}
