//! A mail server for tests: takes whatever comes, and shows it.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

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
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port for the test");
        let port = listener.local_addr().expect("it is bound").port();
        let taken = Arc::<Mutex<Vec<String>>>::default();
        let into = taken.clone();
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                // Whoever hangs up in the middle sent no mail.
                let _ = serve(socket, &into).await;
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

async fn serve(mut socket: TcpStream, taken: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let (read, mut write) = socket.split();
    let mut lines = BufReader::new(read).lines();
    let mut mail = String::new();
    write.write_all(b"220 sink\r\n").await?;
    while let Some(line) = lines.next_line().await? {
        let word = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer: &[u8] = match word.as_str() {
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
