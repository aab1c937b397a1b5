//! The demo's own broadcast: a moving test pattern with a clock, and a tone. It yields to anybody who publishes the same
//! name, and comes back afterwards.

mod encoder;
mod picture;

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use anyhow::{Result, bail};
use encoder::Encoder;
use hub::authority::Local;
use hub::{Caller, Ending, Hub, Name, Protocol, PublishRequest, Refusal, StreamKey};
use tracing::{info, warn};

/// What the demo is called.
pub const NAME: &str = "colors";

/// Settings of the demo where nobody said anything else: on this machine alone, and open to it.
pub const DEFAULTS: [(&str, &str); 3] = [
    ("http.listen", "127.0.0.1:8080"),
    ("rtmp.listen", "127.0.0.1:1935"),
    ("publish.open", "loopback"),
];

/// How long to wait before the next try: after a failure, and while somebody else publishes.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// The demo's broadcast.
#[derive(Debug)]
pub struct Demo {
    hub: Hub,
    key: StreamKey,
}

/// Why the picture ended.
enum End {
    Yields,
    Failed(anyhow::Error),
}

impl Demo {
    /// A demo that publishes to `hub` with a key of its own, which `authority` learns here.
    ///
    /// # Errors
    /// If the system has no random source.
    pub fn new(hub: Hub, authority: &Local) -> Result<Self> {
        let mut secret = [0; 16];
        getrandom::fill(&mut secret).map_err(|error| anyhow::anyhow!("no random source: {error}"))?;
        let key = StreamKey::new(&format!("{:032x}", u128::from_be_bytes(secret)));
        let name = Name::parse(NAME).expect("the demo's name is a good one");
        authority.add_fallback(key.clone(), name);
        Ok(Self { hub, key })
    }

    /// Keeps the picture on the air for ever.
    pub async fn run(self) {
        loop {
            match self.show().await {
                Ok(End::Yields) => info!("somebody publishes {NAME}: the test picture yields"),
                Ok(End::Failed(error)) => warn!("the test picture failed, it is started again: {error:#}"),
                // Somebody else publishes.
                Err(_) => {}
            }
            tokio::time::sleep(TRY_EVERY).await;
        }
    }

    async fn show(&self) -> Result<End, Refusal> {
        let publisher = self.hub.publish(self.request()).await?;
        let revoked = publisher.revoked();
        let end = tokio::select! {
            _ = revoked => End::Yields,
            failed = play(publisher) => End::Failed(failed),
        };
        Ok(end)
    }

    fn request(&self) -> PublishRequest {
        PublishRequest {
            key: self.key.clone(),
            caller: Caller::at(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)), Protocol::Pipe),
            clock: gateway::rtmp::Ingest::CLOCK,
        }
    }
}

/// Runs the encoder into the hub; returns why that ended.
async fn play(publisher: hub::Publisher) -> anyhow::Error {
    let run = async {
        let Encoder {
            child: _child,
            mut clock,
            flv,
        } = Encoder::start()?;
        let ending = tokio::select! {
            ended = encoder::tick(&mut clock, hub::Clock::System) => ended,
            ended = gateway::flv::publish(publisher, flv, Ending::Lost) => ended.map_err(Into::into),
        };
        ending?;
        bail!("ffmpeg ended by itself")
    };
    match run.await {
        Ok(never) => never,
        Err(error) => error,
    }
}
