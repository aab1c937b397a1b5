//! One RTMP connection as a client: the project's own session around a socket.

use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use media::Kind;
use rtmp::client::{Event, Intent, Options, Session};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::clock;

/// What OBS sends.
const CHUNK_SIZE: u32 = 4_096;

/// Audio or video as it came.
pub struct Message {
    pub kind: Kind,
    pub data: Bytes,
}

pub struct Peer {
    stream: TcpStream,
    session: Session,
    buffer: Vec<u8>,
}

impl Peer {
    /// A connection whose stream may be sent.
    pub async fn publish(address: &str) -> Result<Self> {
        Self::open(address, Intent::Publish).await
    }

    /// A connection whose stream was asked for.
    pub async fn play(address: &str) -> Result<Self> {
        Self::open(address, Intent::Play).await
    }

    async fn open(address: &str, intent: Intent) -> Result<Self> {
        let (host, app, name) = parts(address)?;
        let options = Options {
            chunk_size: CHUNK_SIZE,
            ..Options::new(intent, host, app, name)
        };
        let stream = TcpStream::connect(host).await.with_context(|| host.to_owned())?;
        stream.set_nodelay(true)?;
        let session = Session::new(options, clock::now_micros(), Instant::now());
        let mut peer = Self {
            stream,
            session,
            buffer: vec![0; 64 << 10],
        };
        peer.transmit().await?;
        while !peer.session.is_running() {
            peer.receive().await?;
            peer.refuse_refusal()?;
        }
        Ok(peer)
    }

    fn refuse_refusal(&mut self) -> Result<()> {
        while !self.session.is_running() {
            match self.session.poll_event() {
                Some(Event::Refused { code, description }) => bail!("refused: {code}: {description}"),
                Some(_) => {}
                None => break,
            }
        }
        Ok(())
    }

    /// Sends one message, after taking what the server has said meanwhile.
    pub async fn send(&mut self, kind: Kind, timestamp_ms: u32, data: Bytes) -> Result<()> {
        while let Ok(read) = self.stream.try_read(&mut self.buffer) {
            ensure!(read > 0, "the server closed the connection");
            self.session.handle_input(&self.buffer[..read], Instant::now())?;
            while self.session.poll_event().is_some() {}
        }
        self.session.send_media(kind, timestamp_ms, &data);
        self.transmit().await
    }

    /// Ends a published stream cleanly.
    pub async fn finish(&mut self) -> Result<()> {
        self.session.finish();
        self.transmit().await
    }

    /// The next audio or video message of a played stream.
    pub async fn next_media(&mut self) -> Result<Message> {
        loop {
            match self.session.poll_event() {
                Some(Event::Media { kind, tag, .. }) => return Ok(Message { kind, data: tag }),
                Some(Event::Ended) => bail!("the stream ended"),
                Some(Event::Refused { code, description }) => bail!("refused: {code}: {description}"),
                Some(_) => {}
                None => self.receive().await?,
            }
        }
    }

    async fn receive(&mut self) -> Result<()> {
        self.stream.readable().await?;
        match self.stream.try_read(&mut self.buffer) {
            Ok(0) => bail!("the server closed the connection"),
            Ok(read) => self.session.handle_input(&self.buffer[..read], Instant::now())?,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error.into()),
        }
        self.transmit().await
    }

    async fn transmit(&mut self) -> Result<()> {
        while let Some(bytes) = self.session.poll_transmit() {
            self.stream.write_all(&bytes).await?;
        }
        Ok(())
    }
}

/// Host with port, application and stream of `rtmp://HOST:PORT/APP/STREAM`.
fn parts(address: &str) -> Result<(&str, &str, &str)> {
    let rest = address
        .strip_prefix("rtmp://")
        .with_context(|| format!("not an RTMP address: {address}"))?;
    let (host, path) = rest.split_once('/').context("no application")?;
    let (app, name) = path.split_once('/').context("no stream")?;
    Ok((host, app, name))
}
