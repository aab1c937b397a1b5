//! Every configuration key: one line of the table each. The reference manual is this table.

/// What a key's value looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// An address and port to listen on, or `off`.
    Listen,
    /// A length of time such as `333 ms` or `2 s`.
    Duration,
    /// A file or folder.
    Path,
    /// An address that begins with a scheme.
    Url,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// One key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// `section.name`.
    pub name: &'static str,
    /// The value where nothing is said; empty for none.
    pub default: &'static str,
    /// What it looks like.
    pub form: Form,
    /// What it does, in one or two sentences.
    pub doc: &'static str,
}

const fn key(name: &'static str, default: &'static str, form: Form, doc: &'static str) -> Key {
    Key {
        name,
        default,
        form,
        doc,
    }
}

/// All keys, by section.
#[rustfmt::skip]
pub const KEYS: &[Key] = &[
    key("data.dir", "./data", Form::Path, "Folder for everything that must survive a restart. Flag: `--data`."),
    key("http.listen", "0.0.0.0:8080", Form::Listen, "Web app, API, HLS and DASH over plain HTTP. Flag: `--http`."),
    key("http.public_url", "", Form::Url, "The address that people use, such as `https://live.example.org`. Links in pages use it; without it they use the address that the page was opened with."),
    key("https.listen", "off", Form::Listen, "The same with TLS and HTTP/2, such as `0.0.0.0:8443`. Needs `tls.cert` and `tls.key`."),
    key("tls.cert", "", Form::Path, "Certificate chain in PEM, for HTTPS and RTMPS. Read again when it changes."),
    key("tls.key", "", Form::Path, "The certificate's private key in PEM. Read again when it changes."),
    key("rtmp.listen", "0.0.0.0:1935", Form::Listen, "RTMP, publish and play. Flag: `--rtmp`."),
    key("rtmp.public_url", "", Form::Url, "The RTMP address that pages show for copying, such as `rtmp://live.example.org`; without it the page's own host, port 1935."),
    key("rtmps.listen", "off", Form::Listen, "RTMP over TLS, such as `0.0.0.0:1936`. Needs `tls.cert` and `tls.key`."),
    key("publish.open", "off", Form::Choice(&["off", "loopback"]), "`loopback`: a publisher from this machine needs no key, and its stream name becomes the public name."),
    key("publish.keys_file", "", Form::Path, "A file of stream keys for a server without accounts: a line `NAME KEY` for each. Read again when it changes; a key that leaves it cuts its source off."),
    key("publish.takeover", "replace", Form::Choice(&["replace", "refuse"]), "What becomes of a second source of a live stream: it takes over, or is refused while the first is healthy."),
    key("live.window", "60 s", Form::Duration, "What live playlists list and memory keeps, 10 s to 10 m."),
    key("live.part", "333 ms", Form::Duration, "Target length of a part, 100 ms to 1 s. Shorter is closer to live and more requests."),
    key("live.segment", "2 s", Form::Duration, "Target length of a segment, 1 s to 10 s."),
    key("live.reconnect", "60 s", Form::Duration, "How long a broadcast waits for a source that was cut off, 0 s to 30 m. After a clean end it is 5 s at most."),
    key("log.level", "info", Form::Choice(&["error", "warn", "info", "debug", "trace"]), "How much is logged."),
    key("log.format", "text", Form::Choice(&["text", "json"]), "Lines for people, or an object a line for machines."),
];

/// The key of that name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}

/// The name of a key's environment variable.
pub fn variable(name: &str) -> String {
    format!("HEADWATER_{}", name.replace('.', "_").to_uppercase())
}

/// The known key that looks most like a mistyped one.
pub fn nearest(name: &str) -> &'static str {
    let likeness = |key: &&Key| (strsim::jaro_winkler(key.name, name) * 1e6) as u64;
    KEYS.iter().max_by_key(likeness).map_or("", |key| key.name)
}
