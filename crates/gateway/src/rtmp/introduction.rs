//! What a trusted proxy says of whom it serves, before anything else.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use proxy::protocol::{self, Start};
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;

/// How soon a header that came in part is looked at again: proxies send it in one piece, so this is seldom.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// Takes the PROXY header that a connection begins with; `None` if there is none, or it names nobody.
///
/// # Errors
/// If it begins and is none.
pub(super) async fn source(stream: &mut TcpStream) -> io::Result<Option<SocketAddr>> {
    let mut bytes = [0; protocol::BYTES_MAX];
    loop {
        // Looked at without being read: what is no header is the peer's own.
        let length = stream.peek(&mut bytes).await?;
        match protocol::start(&bytes[..length]).map_err(io::Error::other)? {
            Start::Other => return Ok(None),
            Start::Partial if length == 0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            Start::Partial => tokio::time::sleep(LOOK_AGAIN).await,
            Start::Header(header) => {
                stream.read_exact(&mut bytes[..header.len]).await?;
                return Ok(header.source);
            }
        }
    }
}
