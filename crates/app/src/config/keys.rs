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
    /// Words, such as a name; several are separated by commas.
    Text,
    /// Networks such as `10.0.0.0/8`, or single addresses, separated by commas.
    Networks,
    /// What nobody may read: it is never printed.
    Secret,
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
    key("http.trusted_proxies", "", Form::Networks, "Proxies whose `Forwarded` and `X-Forwarded-…` headers and PROXY protocol are believed. Nobody else's are."),
    key("https.listen", "off", Form::Listen, "The same with TLS and HTTP/2, such as `0.0.0.0:8443`. Without a certificate, a self-signed one is shown, of which browsers warn."),
    key("https.hsts", "off", Form::Duration, "How long browsers are told to come by HTTPS only, such as `365 d`; `off` says nothing."),
    key("https.redirect", "off", Form::Choice(&["off", "on"]), "`on`: pages and API over plain HTTP lead to HTTPS, except from this machine."),
    key("tls.cert", "", Form::Path, "Certificate chain in PEM, for HTTPS and RTMPS. Read again when it changes."),
    key("tls.key", "", Form::Path, "The certificate's private key in PEM. Read again when it changes."),
    key("tls.acme", "", Form::Text, "Names to get a certificate for, such as `live.example.org`, from the authority of `tls.acme_directory`; `tls.cert` and `tls.key` go before it."),
    key("tls.acme_contact", "", Form::Text, "Mail address that the authority may write to about these certificates."),
    key("tls.acme_directory", "https://acme-v02.api.letsencrypt.org/directory", Form::Url, "The ACME directory of the authority that gives the certificates; by default Let's Encrypt."),
    key("tls.acme_ca", "", Form::Path, "Root certificate in PEM of a private authority, by which its directory is known; public authorities are known without it."),
    key("rtmp.listen", "0.0.0.0:1935", Form::Listen, "RTMP, publish and play. Flag: `--rtmp`."),
    key("rtmp.public_url", "", Form::Url, "The RTMP address that pages show for copying, such as `rtmp://live.example.org`; without it the page's own host, port 1935."),
    key("rtmps.listen", "off", Form::Listen, "RTMP over TLS, such as `0.0.0.0:1936`, with the same certificate as HTTPS."),
    key("publish.open", "off", Form::Choice(&["off", "loopback"]), "`loopback`: a publisher from this machine needs no key, and its stream name becomes the public name."),
    key("publish.keys_file", "", Form::Path, "A file of stream keys for a server without accounts: a line `NAME KEY` for each. Read again when it changes; a key that leaves it cuts its source off."),
    key("publish.takeover", "replace", Form::Choice(&["replace", "refuse"]), "What becomes of a second source of a live stream: it takes over, or is refused while the first is healthy."),
    key("publish.callback_publish", "", Form::Url, "Address that is asked whether a publisher may begin."),
    key("publish.callback_play", "", Form::Url, "Address that is asked whether a player may begin."),
    key("publish.callback_end", "", Form::Url, "Address that is told when a publisher or player has ended."),
    key("publish.callback_form", "json", Form::Choice(&["json", "nginx-rtmp"]), "What callbacks carry: a signed JSON object, or the form that nginx-rtmp sends."),
    key("publish.callback_secret", "", Form::Secret, "The secret that signs the JSON form of callbacks."),
    key("publish.callback_method", "post", Form::Choice(&["post", "get"]), "How callbacks in nginx-rtmp's form are sent."),
    key("publish.callback_timeout", "5 s", Form::Duration, "How long a callback may take, 100 ms to 30 s."),
    key("publish.callback_cache", "0 s", Form::Duration, "How long an answer is used again for the same question, 0 s to 1 h."),
    key("publish.callback_fallback", "deny", Form::Choice(&["deny", "allow"]), "The answer when a callback cannot be reached."),
    key("publish.tokens_jwks", "", Form::Url, "Address of the keys (a JWKS) whose signed publish tokens are accepted."),
    key("publish.tokens_issuer", "", Form::Text, "The issuer that publish tokens must name."),
    key("publish.tokens_audience", "", Form::Text, "The audience that publish tokens must name."),
    key("outbound.allow", "", Form::Networks, "Private networks that the server itself may call: callbacks, keys of tokens, identity providers. Public addresses need no entry."),
    key("database.url", "", Form::Url, "`sqlite:PATH`, or `postgres://USER:PASSWORD@HOST/NAME`; without it SQLite in the data folder."),
    key("live.window", "60 s", Form::Duration, "What live playlists list and memory keeps, 10 s to 10 m."),
    key("live.part", "333 ms", Form::Duration, "Target length of a part, 100 ms to 1 s. Shorter is closer to live and more requests."),
    key("live.segment", "2 s", Form::Duration, "Target length of a segment, 1 s to 10 s."),
    key("live.reconnect", "60 s", Form::Duration, "How long a broadcast waits for a source that was cut off, 0 s to 30 m. After a clean end it is 5 s at most."),
    key("transcode.ladder", "default", Form::Text, "The qualities that live streams are made in beside their source: a preset (`default`, `low-latency`, `mobile`, `high`, or one of `[transcode.presets]`), or `off`. See transcoding.md."),
    key("transcode.encoder", "software", Form::Choice(&["software", "nvenc", "vaapi", "qsv"]), "What encodes: processors, or a graphics card. Where that does not work, processors do."),
    key("transcode.ffmpeg", "ffmpeg", Form::Path, "The ffmpeg that encodes, version 5.1 or newer: a path, or a name that is looked up in `PATH`."),
    key("transcode.cpu_budget", "", Form::Text, "Processors that all encoding may take together, such as `1.5`; by default three quarters of those there are. A stream that does not fit gets fewer qualities."),
    key("transcode.memory_max", "1024", Form::Text, "MiB of memory that one ffmpeg may use, 64 to 65536."),
    key("transcode.opus", "off", Form::Choice(&["off", "on"]), "`on`: sound is made Opus too, where it is not; DASH lists it beside the AAC."),
    key("transcode.webhook_url", "", Form::Url, "Address that is asked which qualities a broadcast shall have, for streams that want it so: it is told what the source sends, and has 2 s."),
    key("transcode.webhook_secret", "", Form::Secret, "The secret that signs those questions."),
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
