//! An authority of our own: Pebble, with the name server that it asks, both on this machine alone.

use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use super::{SOON, output};

/// A running authority, ended when dropped.
pub struct Pebble {
    children: Vec<Child>,
    /// Where its directory is.
    pub directory: String,
    /// The root by which its directory is known.
    pub ca: PathBuf,
    management: u16,
}

/// A port that nobody listens on now.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    listener.local_addr().expect("it has one").port()
}

impl Pebble {
    /// Starts one that looks at names at these ports of this machine, and whose certificates are valid for so many seconds.
    pub fn start(dir: &Path, http: u16, tls: u16, seconds: u64) -> Self {
        let (ca, key) = super::certificate(dir, "authority");
        let [directory, management, names, names_management] = [(); 4].map(|()| free_port());
        let config = format!(
            r#"{{"pebble": {{
                "listenAddress": "127.0.0.1:{directory}", "managementListenAddress": "127.0.0.1:{management}",
                "certificate": "{ca}", "privateKey": "{key}",
                "httpPort": {http}, "tlsPort": {tls}, "ocspResponderURL": "", "externalAccountBindingRequired": false,
                "certificateValidityPeriod": {seconds}
            }}}}"#
        );
        let file = dir.join("pebble.json");
        std::fs::write(&file, config).expect("the folder can be written");
        let mut name_server = Command::new("pebble-challtestsrv");
        name_server.args(["-defaultIPv6", "", "-http01", "", "-https01", "", "-tlsalpn01", ""]);
        name_server.args(["-dns01", &format!("127.0.0.1:{names}")]);
        name_server.args(["-management", &format!("127.0.0.1:{names_management}")]);
        let mut authority = Command::new("pebble");
        authority
            .arg("-config")
            .arg(&file)
            .args(["-dnsserver", &format!("127.0.0.1:{names}")]);
        // It sleeps before it looks unless told otherwise; that it refuses some good nonces is as real ones do.
        authority.env("PEBBLE_VA_NOSLEEP", "1").env("PEBBLE_AUTHZREUSE", "0");
        let start = |command: &mut Command| {
            let started = command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn();
            started.expect("pebble is installed")
        };
        let pebble = Self {
            children: vec![start(&mut name_server), start(&mut authority)],
            directory: format!("https://localhost:{directory}/dir"),
            ca: ca.into(),
            management,
        };
        pebble.wait();
        pebble
    }

    fn wait(&self) {
        let began = Instant::now();
        while std::net::TcpStream::connect(("127.0.0.1", self.management)).is_err() {
            assert!(began.elapsed() < SOON, "pebble does not start");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Writes the root of the certificates that it gives into the folder.
    pub fn root(&self, dir: &Path) -> PathBuf {
        let path = dir.join("root.pem");
        let url = format!("https://localhost:{}/roots/0", self.management);
        let root = output("curl", &format!("-s -S --cacert {} {url}", self.ca.display()));
        std::fs::write(&path, root).expect("the folder can be written");
        path
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        for child in &mut self.children {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
