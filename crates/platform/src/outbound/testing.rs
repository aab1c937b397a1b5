//! A small HTTP server for tests, and clients that reach it.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use url::Url;

use super::connect::Connector;
use super::{Outbound, Resolve, Resolved};

/// A client that may reach this machine.
pub(crate) fn local() -> Outbound {
    Outbound::new(vec!["127.0.0.0/8".parse().unwrap()])
}

/// A client whose names mean what the test says; `allow` as in the configuration.
pub(crate) fn resolving(resolver: impl Resolve, allow: &[&str]) -> Outbound {
    let mut connector = Connector::new(allow.iter().map(|net| net.parse().unwrap()).collect());
    connector.resolver = Box::new(resolver);
    Outbound::over(connector)
}

/// The same for `https`, trusting one certificate authority.
pub(crate) fn trusting(resolver: impl Resolve, roots: rustls::RootCertStore) -> Outbound {
    let mut connector = Connector::new(vec!["127.0.0.0/8".parse().unwrap()]);
    connector.resolver = Box::new(resolver);
    connector.tls = super::connect::tls(roots);
    Outbound::over(connector)
}

/// Answers each question with the next of its lists; the last one stays.
pub(crate) struct Answers(Mutex<VecDeque<Vec<IpAddr>>>);

impl Answers {
    pub(crate) fn new(lists: &[&[&str]]) -> Self {
        let list = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Self(Mutex::new(lists.iter().map(list).collect()))
    }
}

impl Resolve for Answers {
    fn resolve<'a>(&'a self, _name: &'a str) -> Resolved<'a> {
        let mut lists = self.0.lock().unwrap();
        let list = if lists.len() > 1 {
            lists.pop_front()
        } else {
            lists.front().cloned()
        };
        Box::pin(async { Ok(list.unwrap_or_default()) })
    }
}

/// A request as a [`Server`] got it.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    /// Request line and headers.
    pub(crate) head: String,
    /// The body.
    pub(crate) body: String,
}

impl Heard {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(": ")?;
            key.eq_ignore_ascii_case(name).then_some(value)
        })
    }
}

/// A server on this machine. Its script gets each request and gives the bytes of the answer; `None` leaves the peer waiting.
pub(crate) struct Server {
    pub(crate) port: u16,
    pub(crate) heard: Arc<Mutex<Vec<Heard>>>,
    task: JoinHandle<()>,
}

impl Server {
    pub(crate) async fn start(script: impl Fn(&Heard) -> Option<String> + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&heard);
        let task = tokio::spawn(async move {
            let mut waiting = Vec::new();
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(request) = receive(&mut stream).await else {
                    continue;
                };
                log.lock().unwrap().push(request.clone());
                match script(&request) {
                    Some(answer) => drop(stream.write_all(answer.as_bytes()).await),
                    None => waiting.push(stream),
                }
            }
        });
        Self { port, heard, task }
    }

    /// One that says the same to everybody.
    pub(crate) async fn saying(answer: &str) -> Self {
        let answer = answer.to_owned();
        Self::start(move |_| Some(answer.clone())).await
    }

    pub(crate) fn url(&self, path: &str) -> Url {
        format!("http://127.0.0.1:{}{path}", self.port).parse().unwrap()
    }

    /// How many requests came.
    pub(crate) fn count(&self) -> usize {
        self.heard.lock().unwrap().len()
    }

    /// The last request.
    pub(crate) fn last(&self) -> Heard {
        self.heard.lock().unwrap().last().cloned().expect("a request came")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// An answer with a body.
pub(crate) fn answer(status: &str, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// Reads one request; `None` when the peer leaves before its end.
pub(crate) async fn receive(stream: &mut (impl AsyncRead + AsyncWrite + Unpin)) -> Option<Heard> {
    let mut bytes = Vec::new();
    loop {
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            continue;
        };
        let heard = Heard {
            head: head.to_owned(),
            body: body.to_owned(),
        };
        let length = heard.header("content-length").map_or(0, |value| value.parse().unwrap());
        if body.len() >= length {
            return Some(heard);
        }
    }
}
