//! A small HTTP/1.1 client: one connection, one request at a time, kept open.

use std::cell::RefCell;
use std::io;

use anyhow::{Context, Result, bail, ensure};
use bytes::{Buf, Bytes, BytesMut};
use rustix::net::RecvFlags;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

/// Where a server is, and what is asked of it.
#[derive(Clone)]
pub struct Url {
    pub secure: bool,
    pub authority: String,
    pub path: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Self> {
        let (scheme, rest) = text.split_once("://").with_context(|| format!("not a URL: {text}"))?;
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        ensure!(matches!(scheme, "http" | "https"), "neither http nor https: {text}");
        Ok(Self {
            secure: scheme == "https",
            authority: authority.to_owned(),
            path: format!("/{path}"),
        })
    }

    /// The path that a relative reference in a document at this URL names.
    pub fn join(&self, reference: &str) -> Self {
        let path = match reference.strip_prefix('/') {
            Some(_) => reference.to_owned(),
            None => format!(
                "{}/{reference}",
                self.path.rsplit_once('/').map_or("", |(folder, _)| folder)
            ),
        };
        Self { path, ..self.clone() }
    }

    /// This URL with a query added.
    pub fn with_query(&self, query: &str) -> Self {
        let mark = if self.path.contains('?') { '&' } else { '?' };
        Self {
            path: format!("{}{mark}{query}", self.path),
            ..self.clone()
        }
    }
}

pub struct Response {
    pub status: u16,
    pub body: Bytes,
}

enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl Stream {
    async fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        match self {
            Self::Plain(stream) => stream.write_all(bytes).await,
            Self::Tls(stream) => stream.write_all(bytes).await,
        }
    }

    async fn read(&mut self, buffer: &mut BytesMut) -> io::Result<usize> {
        buffer.reserve(16 << 10);
        match self {
            Self::Plain(stream) => stream.read_buf(buffer).await,
            Self::Tls(stream) => stream.read_buf(buffer).await,
        }
    }
}

pub struct Client {
    stream: Stream,
    buffer: BytesMut,
    /// Taken as a whole by every request.
    headers: &'static str,
}

impl Client {
    pub async fn connect(url: &Url, tls: Option<&TlsConnector>) -> Result<Self> {
        let stream = TcpStream::connect(&url.authority)
            .await
            .with_context(|| url.authority.clone())?;
        stream.set_nodelay(true)?;
        let stream = match (url.secure, tls) {
            (true, Some(tls)) => Stream::Tls(Box::new(tls.connect(ServerName::try_from("localhost")?, stream).await?)),
            (true, None) => bail!("https without a connector"),
            (false, _) => Stream::Plain(stream),
        };
        Ok(Self {
            stream,
            buffer: BytesMut::new(),
            headers: "",
        })
    }

    /// Asks for compressed answers from now on, as browsers do.
    pub fn accept_gzip(mut self) -> Self {
        self.headers = "Accept-Encoding: gzip\r\n";
        self
    }

    /// The whole answer.
    pub async fn get(&mut self, url: &Url) -> Result<Response> {
        let head = self.ask(url).await?;
        let body = match head.length {
            Length::Known(len) => self.take(len).await?,
            Length::Chunked => self.take_chunks().await?,
        };
        Ok(Response {
            status: head.status,
            body,
        })
    }

    /// Reads the answer and throws it away; returns its status and length.
    pub async fn drain(&mut self, url: &Url) -> Result<(u16, u64)> {
        let head = self.ask(url).await?;
        let Length::Known(len) = head.length else {
            return Ok((head.status, self.take_chunks().await?.len() as u64));
        };
        let buffered = len.min(self.buffer.len());
        self.buffer.advance(buffered);
        self.discard(len - buffered).await?;
        Ok((head.status, len as u64))
    }

    /// Sends a request that is written out already, and reads the whole answer.
    pub async fn send(&mut self, request: &[u8]) -> Result<Response> {
        self.stream.write(request).await?;
        let head = self.head().await?;
        let body = match head.length {
            Length::Known(len) => self.take(len).await?,
            Length::Chunked => self.take_chunks().await?,
        };
        Ok(Response {
            status: head.status,
            body,
        })
    }

    async fn ask(&mut self, url: &Url) -> Result<Head> {
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\n{}\r\n",
            url.path, url.authority, self.headers
        );
        self.stream.write(request.as_bytes()).await?;
        self.head().await
    }

    async fn head(&mut self) -> Result<Head> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n\r\n") {
                return Head::parse(&self.buffer.split_to(end + 4));
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> Result<()> {
        ensure!(
            self.stream.read(&mut self.buffer).await? > 0,
            "the server closed the connection"
        );
        Ok(())
    }

    async fn take(&mut self, len: usize) -> Result<Bytes> {
        while self.buffer.len() < len {
            self.fill().await?;
        }
        Ok(self.buffer.split_to(len).freeze())
    }

    async fn take_chunks(&mut self) -> Result<Bytes> {
        let mut body = BytesMut::new();
        loop {
            let line = self.take_line().await?;
            let len = usize::from_str_radix(line.split(';').next().unwrap_or_default().trim(), 16)?;
            body.extend_from_slice(&self.take(len).await?);
            self.take(2).await?;
            if len == 0 {
                return Ok(body.freeze());
            }
        }
    }

    async fn take_line(&mut self) -> Result<String> {
        loop {
            if let Some(end) = memchr::memmem::find(&self.buffer, b"\r\n") {
                let line = self.buffer.split_to(end + 2);
                return Ok(String::from_utf8_lossy(&line[..end]).into_owned());
            }
            self.fill().await?;
        }
    }

    /// Reads that many bytes for nothing. On plain connections the kernel drops them, so that the reader is not the limit.
    async fn discard(&mut self, mut len: usize) -> Result<()> {
        while len > 0 {
            let read = match &self.stream {
                Stream::Plain(stream) => drop_in_kernel(stream, len).await?,
                Stream::Tls(_) => {
                    self.fill().await?;
                    let read = self.buffer.len();
                    self.buffer.clear();
                    read
                }
            };
            ensure!(read > 0, "the server closed the connection");
            len = len.checked_sub(read).context("more bytes than announced")?;
        }
        Ok(())
    }
}

thread_local! {
    /// The flag that makes the kernel skip the copy still wants a buffer of that size.
    static SCRATCH: RefCell<Vec<u8>> = RefCell::new(vec![0; 256 << 10]);
}

async fn drop_in_kernel(stream: &TcpStream, len: usize) -> Result<usize> {
    loop {
        stream.readable().await?;
        let read = stream.try_io(Interest::READABLE, || {
            SCRATCH.with_borrow_mut(|scratch| {
                let most = len.min(scratch.len());
                let (_, read) = rustix::net::recv(stream, &mut scratch[..most], RecvFlags::TRUNC)?;
                Ok(read)
            })
        });
        match read {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            other => return Ok(other?),
        }
    }
}

enum Length {
    Known(usize),
    Chunked,
}

struct Head {
    status: u16,
    length: Length,
}

impl Head {
    fn parse(bytes: &[u8]) -> Result<Self> {
        let text = std::str::from_utf8(bytes)?.to_ascii_lowercase();
        let status = text.split(' ').nth(1).context("no status")?.parse()?;
        let header = |name: &str| text.lines().find_map(|line| line.strip_prefix(name)).map(str::trim);
        let length = match (header("content-length:"), header("transfer-encoding:")) {
            (Some(len), _) => Length::Known(len.parse()?),
            (None, Some("chunked")) => Length::Chunked,
            _ => Length::Known(0),
        };
        Ok(Self { status, length })
    }
}
