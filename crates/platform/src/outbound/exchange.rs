//! One request and its answer, over a connection of its own.

use std::pin::pin;

use http::HeaderValue;
use http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING, USER_AGENT};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use url::Position;

use super::connect::Stream;
use super::target::Target;
use super::{Error, Request, Response};

/// Bytes of an answer's status line and headers.
pub(super) const HEADERS_BYTES_MAX: usize = 64 << 10;
/// Headers of an answer.
pub(super) const HEADERS_MAX: usize = 100;

const AGENT: HeaderValue = HeaderValue::from_static(concat!("headwater/", env!("CARGO_PKG_VERSION")));

pub(super) async fn exchange(
    stream: Stream,
    target: &Target,
    request: &Request,
    body_bytes_max: usize,
) -> Result<Response, Error> {
    match stream {
        Stream::Plain(stream) => over(stream, target, request, body_bytes_max).await,
        Stream::Tls(stream) => over(stream, target, request, body_bytes_max).await,
    }
}

async fn over<S>(stream: S, target: &Target, request: &Request, body_bytes_max: usize) -> Result<Response, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let fault = |fault| Error::Http {
        host: target.name(),
        fault,
    };
    let (mut sender, connection) = http1::Builder::new()
        .max_buf_size(HEADERS_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .handshake(TokioIo::new(stream))
        .await
        .map_err(fault)?;
    let message = message(target, request)?;
    let mut answer = pin!(async {
        let response = sender.send_request(message).await.map_err(fault)?;
        read(response, target, body_bytes_max).await
    });
    tokio::select! {
        answer = &mut answer => answer,
        // The connection has ended; what it delivered is still to be taken.
        _ = connection => answer.await,
    }
}

fn message(target: &Target, request: &Request) -> Result<http::Request<Full<bytes::Bytes>>, Error> {
    let mut message = http::Request::new(Full::new(request.body.clone()));
    *message.method_mut() = request.method.clone();
    *message.uri_mut() = request.url[Position::BeforePath..Position::AfterQuery]
        .parse()
        .map_err(|_| Error::Address("its path holds a character that cannot stand there"))?;
    let headers = message.headers_mut();
    *headers = request.headers.clone();
    // hyper writes the length from the body.
    headers.remove(CONTENT_LENGTH);
    headers.remove(TRANSFER_ENCODING);
    headers.insert(HOST, target.header()?);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.entry(USER_AGENT).or_insert(AGENT);
    Ok(message)
}

async fn read(response: http::Response<Incoming>, target: &Target, body_bytes_max: usize) -> Result<Response, Error> {
    let (head, body) = response.into_parts();
    let body = Limited::new(body, body_bytes_max).collect().await.map_err(|fault| {
        if fault.is::<LengthLimitError>() {
            return Error::TooLarge { max: body_bytes_max };
        }
        let fault = fault
            .downcast()
            .expect("a body fails by its limit or by the connection");
        Error::Http {
            host: target.name(),
            fault: *fault,
        }
    })?;
    Ok(Response {
        status: head.status,
        headers: head.headers,
        body: body.to_bytes(),
    })
}
