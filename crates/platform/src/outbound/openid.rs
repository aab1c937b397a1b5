//! The client as `openidconnect` wants it.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use openidconnect::{AsyncHttpClient, HttpRequest, HttpResponse};

use super::{Error, Limits, Outbound, Request, address};

/// What a provider's answer may cost. Redirects are not followed: a provider's endpoints stand where it says they do.
pub(super) const PROVIDER: Limits = Limits {
    time_max: Duration::from_secs(10),
    body_bytes_max: 1 << 20,
    redirects_max: 0,
};

impl<'c> AsyncHttpClient<'c> for Outbound {
    type Error = Error;
    type Future = Pin<Box<dyn Future<Output = Result<HttpResponse, Error>> + Send + 'c>>;

    fn call(&'c self, request: HttpRequest) -> Self::Future {
        Box::pin(async move {
            let (head, body) = request.into_parts();
            let request = Request {
                method: head.method,
                url: address(&head.uri.to_string())?,
                headers: head.headers,
                body: body.into(),
            };
            let response = self.send(request, PROVIDER).await?;
            let mut answer = HttpResponse::new(response.body.to_vec());
            *answer.status_mut() = response.status;
            *answer.headers_mut() = response.headers;
            Ok(answer)
        })
    }
}
