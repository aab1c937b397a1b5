use std::io::{self, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use socket2::SockRef;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

/// A socket, or a TLS session on one.
pub(super) trait Io: AsyncRead + AsyncWrite + Unpin + Send + 'static {
    /// The socket itself, for its options.
    fn socket(&self) -> SockRef<'_>;

    /// Whether the reactor wakes the task when something arrives. A socket that is not watched must be read by the clock:
    /// a read that finds nothing is pending, and nobody wakes its task.
    ///
    /// # Errors
    /// If the reactor does not take the socket (back).
    fn watch(&mut self, watched: bool) -> io::Result<()>;
}

impl Io for TlsStream<TcpStream> {
    fn socket(&self) -> SockRef<'_> {
        SockRef::from(self.get_ref().0)
    }

    /// Always watched: the session and its socket cannot be taken apart.
    fn watch(&mut self, _: bool) -> io::Result<()> {
        Ok(())
    }
}

/// A plain socket. Out of the reactor's sight, what arrives costs nothing until it is read.
#[derive(Debug)]
pub(super) enum Plain {
    Watched(TcpStream),
    Unwatched(std::net::TcpStream),
    /// The reactor refused it.
    Gone,
}

impl Io for Plain {
    fn socket(&self) -> SockRef<'_> {
        match self {
            Self::Watched(stream) => SockRef::from(stream),
            Self::Unwatched(stream) => SockRef::from(stream),
            Self::Gone => unreachable!("the connection ended when the reactor refused its socket"),
        }
    }

    fn watch(&mut self, watched: bool) -> io::Result<()> {
        *self = match (std::mem::replace(self, Self::Gone), watched) {
            (Self::Watched(stream), false) => Self::Unwatched(stream.into_std()?),
            (Self::Unwatched(stream), true) => Self::Watched(TcpStream::from_std(stream)?),
            (as_it_should_be, _) => as_it_should_be,
        };
        Ok(())
    }
}

impl AsyncRead for Plain {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Watched(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Unwatched(stream) => {
                or_pending(stream.read(buffer.initialize_unfilled())).map_ok(|read| buffer.advance(read))
            }
            Self::Gone => gone(),
        }
    }
}

impl AsyncWrite for Plain {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Watched(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Unwatched(stream) => or_pending(stream.write(bytes)),
            Self::Gone => gone(),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Watched(stream) => Pin::new(stream).poll_write_vectored(cx, slices),
            Self::Unwatched(stream) => or_pending(stream.write_vectored(slices)),
            Self::Gone => gone(),
        }
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Watched(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Unwatched(stream) => Poll::Ready(stream.shutdown(std::net::Shutdown::Write)),
            Self::Gone => gone(),
        }
    }
}

fn or_pending(result: io::Result<usize>) -> Poll<io::Result<usize>> {
    match result {
        Err(error) if matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted) => Poll::Pending,
        result => Poll::Ready(result),
    }
}

fn gone<T>() -> Poll<io::Result<T>> {
    Poll::Ready(Err(io::ErrorKind::NotConnected.into()))
}
