//! Measures a streaming server from outside: publishers, RTMP players and HLS readers in one thread.
//!
//! Prints JSON lines: `{"event":…}` when a phase begins, so that the driver can read the server's clocks at that moment, and the
//! figures at the end. It knows nothing of the server but its addresses.

mod accept;
mod api;
mod arguments;
mod blocked;
mod clock;
mod figures;
mod flv;
mod http;
mod parts;
mod play;
mod playlist;
mod publish;
mod pull;
mod rtmp_peer;
mod stamp;
mod startup;
mod tls;

use anyhow::{Result, bail};
use arguments::Arguments;

const USAGE: &str = "usage: loadgen COMMAND --name value …
  publish  --rtmp URL --flv FILE --count N --seconds S      {i} in the URL is the stream's number
  play     --rtmp URL --count N --warm S --seconds S        viewers that read at once
  pull     --http URL --count N --warm S --seconds S --what segments|playlist
  blocked  --http URL --count N --seconds S                 blocked playlist requests held open
  parts    --http URL --seconds S                           age of a part's newest frame when its playlist arrives
  accept   --rtmp URL                                       how long a publisher waits for the answer
  api      --http URL --plan FILE --rate N --count N --seconds S   requests of the plan, at their time, over N connections
  startup  --rtmp URL --http URL --flv FILE --joins N       first media to first playable; how fast a player joins";

fn main() -> Result<()> {
    let arguments = Arguments::from_command_line()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let figures = runtime.block_on(run(&arguments))?;
    println!("{figures}");
    Ok(())
}

async fn run(arguments: &Arguments) -> Result<serde_json::Value> {
    match arguments.command.as_str() {
        "publish" => publish::run(arguments).await,
        "play" => play::run(arguments).await,
        "pull" => pull::run(arguments).await,
        "blocked" => blocked::run(arguments).await,
        "parts" => parts::run(arguments).await,
        "accept" => accept::run(arguments).await,
        "api" => api::run(arguments).await,
        "startup" => startup::run(arguments).await,
        _ => bail!("{USAGE}"),
    }
}

/// Tells the driver that a phase begins now.
fn announce(event: &str) {
    println!("{}", serde_json::json!({ "event": event }));
}
