//! The one HTTP client for all that the server itself calls: callbacks, keys of tokens, identity providers.
//!
//! Addresses come from people, so nothing is called that is not on the public internet, unless the operator allows its network. Every name is
//! resolved here, every address that comes back is judged, and the connection goes to the very address that was judged: a name
//! that means another address a moment later changes nothing.

mod connect;
mod error;
mod exchange;
mod filter;
mod openid;
mod redirect;
mod resolve;
mod target;
#[cfg(test)]
pub(crate) mod testing;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};
use ipnet::IpNet;
use tokio::sync::Semaphore;
use url::Url;

use connect::Connector;
use target::Target;

pub use error::Error;
pub use resolve::{Resolve, Resolved};

/// Requests on their way at once; further ones wait, within their own time.
pub const REQUESTS_MAX: usize = 256;
/// Redirects that are followed at most, whatever the caller asks for.
pub const REDIRECTS_MAX: u8 = 3;

/// What to send. Its `Debug` shows no path, header or body: they may hold secrets.
#[derive(Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// Where to; `http` or `https`.
    pub url: Url,
    /// Headers; those that belong to the connection are set here.
    pub headers: HeaderMap,
    /// The body; empty for none.
    pub body: Bytes,
}

/// What an answer may cost.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// From the first step to the last byte, redirects included.
    pub time_max: Duration,
    /// Bytes of the answer's body.
    pub body_bytes_max: usize,
    /// Redirects to follow, [`REDIRECTS_MAX`] at most; with 0 a redirect is an answer like any other.
    pub redirects_max: u8,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct Response {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

/// The client. Clones share it.
#[derive(Clone)]
pub struct Outbound {
    connector: Arc<Connector>,
    slots: Arc<Semaphore>,
}

/// Reads an address that somebody gave, for [`Outbound::send`]. What its host means is judged when it is called.
///
/// # Errors
/// If it is none that is ever called.
pub fn address(text: &str) -> Result<Url, Error> {
    let url = text.parse().map_err(|_| Error::Address("it cannot be read"))?;
    Target::of(&url).map(|_| url)
}

impl Request {
    /// Asks for what is there.
    pub fn get(url: Url) -> Self {
        Self {
            method: Method::GET,
            url,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        }
    }

    /// Sends a body.
    pub fn post(url: Url, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            body: body.into(),
            ..Self::get(url)
        }
    }
}

impl Outbound {
    /// A client that reaches the public internet and the networks in `allow`. It trusts the system's certificate authorities.
    pub fn new(allow: Vec<IpNet>) -> Self {
        Self::over(Connector::new(allow))
    }

    fn over(connector: Connector) -> Self {
        Self {
            connector: Arc::new(connector),
            slots: Arc::new(Semaphore::new(REQUESTS_MAX)),
        }
    }

    /// Sends a request and reads the whole answer. Any status is an answer.
    ///
    /// # Errors
    /// [`Error`] says what went wrong, in words that a stranger may read: they name no address that the request did not.
    pub async fn send(&self, request: Request, limits: Limits) -> Result<Response, Error> {
        tokio::time::timeout(limits.time_max, self.follow(request, limits))
            .await
            .unwrap_or(Err(Error::Timeout { after: limits.time_max }))
    }

    async fn follow(&self, mut request: Request, limits: Limits) -> Result<Response, Error> {
        let _slot = self.slots.acquire().await.expect("the semaphore is never closed");
        let mut redirects_left = limits.redirects_max.min(REDIRECTS_MAX);
        loop {
            let target = Target::of(&request.url)?;
            let stream = self.connector.connect(&target).await?;
            let response = exchange::exchange(stream, &target, &request, limits.body_bytes_max).await?;
            let Some(location) = redirect::location(&response).filter(|_| limits.redirects_max > 0) else {
                return Ok(response);
            };
            redirects_left = redirects_left.checked_sub(1).ok_or(Error::TooManyRedirects)?;
            request = redirect::follow(request, response.status, location)?;
        }
    }
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Request({} {:?})",
            self.method,
            self.url.host_str().unwrap_or_default()
        )
    }
}

impl fmt::Debug for Outbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Outbound")
    }
}
