//! A mail server for tests: takes whatever comes, and shows it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use crate::settings::{Mail, MailSecurity};

/// A mail server on a port of its own.
#[derive(Debug)]
pub struct Sink {
    port: u16,
    taken: Arc<Mutex<Vec<String>>>,
}

impl Sink {
    /// Starts one. It refuses recipients that begin with `nobody`.
    ///
    /// # Panics
    /// If there is no port.
    pub async fn start() -> Self {
        Self::listen(Encryption::None).await
    }

    /// Starts one that takes no mail in the clear.
    ///
    /// # Panics
    /// If there is no port, or nothing is to be encrypted.
    pub async fn encrypted(security: MailSecurity, tls: TlsAcceptor) -> Self {
        Self::listen(match security {
            MailSecurity::Tls => Encryption::Always(tls),
            MailSecurity::Starttls => Encryption::WhenAsked(tls),
            MailSecurity::None => panic!("without encryption it is just started"),
        })
        .await
    }

    async fn listen(encryption: Encryption) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the test");
        let port = listener.local_addr().expect("it is bound").port();
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let into = taken.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Whoever hangs up in the middle sent no mail.
                let _ = serve(socket, &encryption, &into).await;
            }
        });
        Self { port, taken }
    }

    /// The settings that lead to it.
    pub fn settings(&self) -> Mail {
        Mail {
            host: "127.0.0.1".into(),
            port: self.port,
            security: MailSecurity::None,
            username: String::new(),
            from: "Headwater <live@example.org>".into(),
        }
    }

    /// Every mail so far, with its recipients before it and soft line breaks taken out.
    pub fn mails(&self) -> Vec<String> {
        self.taken.lock().expect("nobody panics holding this").clone()
    }
}

/// When a sink speaks TLS.
enum Encryption {
    None,
    Always(TlsAcceptor),
    WhenAsked(TlsAcceptor),
}

async fn serve(mut socket: TcpStream, encryption: &Encryption, taken: &Mutex<Vec<String>>) -> std::io::Result<()> {
    match encryption {
        Encryption::None => {
            socket.write_all(GREETING).await?;
            take_mails(socket, taken).await
        }
        Encryption::Always(tls) => {
            let mut socket = tls.accept(socket).await?;
            socket.write_all(GREETING).await?;
            take_mails(socket, taken).await
        }
        Encryption::WhenAsked(tls) => {
            socket.write_all(GREETING).await?;
            match until_asked(socket).await? {
                Some(socket) => take_mails(tls.accept(socket).await?, taken).await,
                None => Ok(()),
            }
        }
    }
}

const GREETING: &[u8] = b"220 sink\r\n";

/// Refuses everything until the peer wants TLS (RFC 3207); `None` where it leaves instead.
async fn until_asked(socket: TcpStream) -> std::io::Result<Option<TcpStream>> {
    let mut socket = BufReader::new(socket);
    loop {
        let mut line = String::new();
        if socket.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let answer: &[u8] = match word(&line).as_str() {
            "EHLO" => b"250-sink\r\n250 STARTTLS\r\n",
            "STAR" => {
                socket.write_all(b"220 go on\r\n").await?;
                return Ok(Some(socket.into_inner()));
            }
            _ => b"530 not in the clear\r\n",
        };
        socket.write_all(answer).await?;
    }
}

/// What a line asks for.
fn word(line: &str) -> String {
    line.get(..4).unwrap_or_default().to_ascii_uppercase()
}

async fn take_mails(socket: impl AsyncRead + AsyncWrite, taken: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (read, mut write) = tokio::io::split(socket);
    let mut lines = BufReader::new(read).lines();
    let mut mail = String::new();
    while let Some(line) = lines.next_line().await? {
        let answer: &[u8] = match word(&line).as_str() {
            "QUIT" => break,
            "RCPT" if line.contains("<nobody") => b"550 no such person here\r\n",
            "RCPT" => {
                mail = format!("{line}\n");
                b"250 ok\r\n"
            }
            "DATA" => {
                write.write_all(b"354 go on\r\n").await?;
                while let Some(line) = lines.next_line().await?.filter(|line| line != ".") {
                    mail += &line;
                    mail.push('\n');
                }
                let whole = mail.replace("=\n", "").replace("=3D", "=");
                taken.lock().expect("nobody panics holding this").push(whole);
                b"250 taken\r\n"
            }
            _ => b"250 ok\r\n",
        };
        write.write_all(answer).await?;
    }
    Ok(())
}
