//! TLS and HTTP/2, with curl; certificates from an authority; proxies in front.

mod common;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::accounts::{owner_token, request};
use common::pebble::{Pebble, free_port};
use common::{Publisher, SOON, Server, certificate, output};
use serde_json::json;

#[test]
fn the_same_stream_is_served_with_tls_over_http_1_and_2() {
    let data = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(data.path(), "own");
    let settings = [
        ("HEADWATER_HTTPS_LISTEN", "127.0.0.1:0"),
        ("HEADWATER_HTTPS_HSTS", "1 h"),
        ("HEADWATER_TLS_CERT", cert.as_str()),
        ("HEADWATER_TLS_KEY", key.as_str()),
    ];
    let server = Server::start(data.path(), &settings);
    let _publisher = Publisher::plain(&server.publish_url("colors"));
    server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    let url = format!("https://localhost:{}/live/colors.m3u8", server.https);
    for (flag, version) in [("--http1.1", "1.1"), ("--http2", "2")] {
        let line = format!("-s -S --cacert {cert} {flag} -o /dev/null -w %{{http_code}}/%{{http_version}} {url}");
        assert_eq!(output("curl", &line), format!("200/{version}"));
    }
    let playlist = output("curl", &format!("-s -S --cacert {cert} --http2 {url}"));
    assert!(playlist.contains("#EXT-X-STREAM-INF"), "{playlist}");
    // What certificate() makes is good until the year 4096 begins.
    let end = "\nheadwater_certificate_not_after_timestamp_seconds{} 67090118400.0\n";
    let metrics = server.get("/metrics").text();
    assert!(metrics.contains(end), "{metrics}");

    let page = format!("https://localhost:{}/", server.https);
    let head = output("curl", &format!("-s -S --cacert {cert} -D - -o /dev/null {page}")).to_lowercase();
    assert!(head.contains("strict-transport-security: max-age=3600"), "{head}");
    assert_eq!(
        server.get("/").header("strict-transport-security"),
        None,
        "not over plain HTTP"
    );
}

/// The serial number and the names of the certificate that is shown at a port.
fn shown(port: u16) -> String {
    let line = format!(
        "openssl s_client -connect 127.0.0.1:{port} -servername live.example.test </dev/null 2>/dev/null \
         | openssl x509 -noout -serial -issuer -ext subjectAltName"
    );
    let run = Command::new("sh")
        .args(["-c", &line])
        .stderr(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8(run.stdout).unwrap()
}

/// Looks until what is shown pleases.
fn shown_until(port: u16, pleases: impl Fn(&str) -> bool) -> String {
    let began = Instant::now();
    loop {
        let shown = shown(port);
        if pleases(&shown) {
            return shown;
        }
        assert!(began.elapsed() < SOON * 2, "it stays at {shown}");
        std::thread::sleep(Duration::from_millis(200));
    }
}

fn is_from_the_authority(shown: &str) -> bool {
    shown.contains("Pebble") && shown.contains("DNS:live.example.test")
}

/// Publishes with RTMPS, which must not end by itself.
fn publish_secure(port: u16) -> Publisher {
    Publisher::plain(&format!("rtmps://127.0.0.1:{port}/stream/colors"))
}

fn acme_settings(pebble: &Pebble) -> Vec<(&'static str, String)> {
    vec![
        ("HEADWATER_TLS_ACME", "live.example.test".into()),
        ("HEADWATER_TLS_ACME_CONTACT", "admin@example.org".into()),
        ("HEADWATER_TLS_ACME_DIRECTORY", pebble.directory.clone()),
        ("HEADWATER_TLS_ACME_CA", pebble.ca.display().to_string()),
    ]
}

fn start_at(http: u16, data: &Path, settings: &[(&str, String)]) -> Server {
    let settings: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    Server::run_at(&format!("127.0.0.1:{http}"), "serve", data, &settings)
}

#[test]
fn a_certificate_is_got_by_tls_alpn_01_and_renewed_while_a_stream_plays() {
    let data = tempfile::tempdir().unwrap();
    let [http, https, rtmps] = [(); 3].map(|()| free_port());
    // Proofs by plain HTTP would be looked for where nobody is.
    let pebble = Pebble::start(data.path(), free_port(), https, 21);
    let root = pebble.root(data.path());
    let mut settings = acme_settings(&pebble);
    settings.push(("HEADWATER_HTTPS_LISTEN", format!("127.0.0.1:{https}")));
    settings.push(("HEADWATER_RTMPS_LISTEN", format!("127.0.0.1:{rtmps}")));
    let mut server = start_at(http, data.path(), &settings);
    assert_eq!(server.get("/readyz").status, 200, "it does not wait for a certificate");
    assert!(shown(https).contains("serial"), "a self-signed one is shown until then");

    let first = shown_until(https, is_from_the_authority);
    let mut publisher = publish_secure(rtmps);
    server.get_until("/live/colors.m3u8", |answer| answer.status == 200);
    let url = format!("https://live.example.test:{https}/live/colors.m3u8");
    let line = format!(
        "-s -S --fail --cacert {} --resolve live.example.test:{https}:127.0.0.1 --http2 -o /dev/null {url}",
        root.display()
    );
    let began = Instant::now();
    while shown(https) == first {
        output("curl", &line);
        assert!(began.elapsed() < SOON * 2, "it is not renewed");
    }
    output("curl", &line);
    assert!(is_from_the_authority(&shown(rtmps)), "the same for RTMPS");
    assert!(publisher.0.try_wait().unwrap().is_none(), "the publisher goes on");

    // After a restart it is there at once, without the authority.
    drop(pebble);
    server.terminate();
    drop(server);
    let _server = start_at(http, data.path(), &settings);
    assert!(is_from_the_authority(&shown(https)));
}

#[test]
fn where_tls_is_not_reached_a_certificate_is_got_by_http_01_and_renewed_while_a_stream_is_published() {
    let data = tempfile::tempdir().unwrap();
    let [http, rtmps] = [(); 2].map(|()| free_port());
    // HTTPS is there, and the authority looks for it elsewhere.
    let pebble = Pebble::start(data.path(), http, free_port(), 21);
    let mut settings = acme_settings(&pebble);
    settings.push(("HEADWATER_HTTPS_LISTEN", "127.0.0.1:0".into()));
    settings.push(("HEADWATER_RTMPS_LISTEN", format!("127.0.0.1:{rtmps}")));
    let server = start_at(http, data.path(), &settings);
    let first = shown_until(rtmps, is_from_the_authority);
    let mut publisher = publish_secure(rtmps);
    let media = server.media_path("colors", "video");
    let before = common::tag(&server.get(&media).text(), "#EXT-X-MEDIA-SEQUENCE").unwrap();
    shown_until(rtmps, |shown| is_from_the_authority(shown) && shown != first);
    assert!(publisher.0.try_wait().unwrap().is_none(), "the publisher goes on");
    let playlist = server.get(&media).text();
    assert!(
        !playlist.contains("#EXT-X-DISCONTINUITY\n"),
        "without a cut: {playlist}"
    );
    assert!(common::tag(&playlist, "#EXT-X-MEDIA-SEQUENCE").unwrap() >= before);
    let secret = data.path().join("acme");
    assert!(!output("find", &format!("{} -type f -perm /077", secret.display())).contains("acme"));
}

#[test]
fn names_that_an_admin_sets_are_got_without_a_restart() {
    let data = tempfile::tempdir().unwrap();
    let [http, https] = [(); 2].map(|()| free_port());
    let pebble = Pebble::start(data.path(), http, https, 3_600);
    let mut settings = acme_settings(&pebble);
    settings.retain(|(name, _)| *name != "HEADWATER_TLS_ACME");
    settings.push(("HEADWATER_HTTPS_LISTEN", format!("127.0.0.1:{https}")));
    let borrowed: Vec<_> = settings.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let owner = owner_token(data.path(), &borrowed);
    let mut server = start_at(http, data.path(), &settings);
    assert!(shown(https).contains("DNS:localhost"), "it signs one for itself");
    let body = json!({"acme": {"names": ["live.example.test"], "contact": "admin@example.org"}});
    let (answer, said) = request(http, &owner, "PATCH", "/api/v1/admin/settings", Some(&body));
    assert_eq!(answer.status, 200, "{said}");
    shown_until(https, is_from_the_authority);

    server.terminate();
    drop((server, pebble));
    let _server = start_at(http, data.path(), &settings);
    assert!(is_from_the_authority(&shown(https)), "it is known after a restart");
}

/// Says something to the HTTP port and reads the answer's head.
fn say(port: u16, before: &[u8], head: &str) -> String {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(SOON)).unwrap();
    stream.write_all(before).unwrap();
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let text = String::from_utf8_lossy(&answer);
    text.split("\r\n\r\n").next().unwrap_or_default().to_lowercase()
}

#[test]
fn who_comes_by_plain_http_is_led_to_https_by_what_a_trusted_proxy_says() {
    let data = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(data.path(), "own");
    let settings = [
        ("HEADWATER_HTTPS_LISTEN", "127.0.0.1:0"),
        ("HEADWATER_HTTPS_REDIRECT", "on"),
        ("HEADWATER_HTTP_TRUSTED_PROXIES", "127.0.0.1"),
        ("HEADWATER_TLS_CERT", cert.as_str()),
        ("HEADWATER_TLS_KEY", key.as_str()),
    ];
    let server = Server::start(data.path(), &settings);
    let get = |path: &str, lines: &str| format!("GET {path} HTTP/1.0\r\nHost: live.example\r\n{lines}\r\n");
    let proxied = b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 8080\r\n";
    let location = format!("location: https://live.example:{}/watch/colors?a=b", server.https);
    let cases: [(&[u8], String, bool); 7] = [
        (b"", get("/watch/colors?a=b", ""), false),
        (b"", get("/watch/colors?a=b", "X-Forwarded-For: 203.0.113.9\r\n"), true),
        (
            b"",
            get("/watch/colors?a=b", "Forwarded: for=203.0.113.9;proto=https\r\n"),
            false,
        ),
        (proxied, get("/watch/colors?a=b", ""), true),
        (proxied, get("/watch/colors?a=b", "X-Forwarded-Proto: https\r\n"), true),
        (proxied, get("/readyz", ""), false),
        (proxied, get("/.well-known/acme-challenge/x", ""), false),
    ];
    for (before, head, led) in cases {
        let answer = say(server.http, before, &head);
        assert!(answer.starts_with("http/1."), "{head}: {answer}");
        assert_eq!(answer.contains(&location), led, "{head}: {answer}");
        assert_eq!(answer.contains(" 308 "), led, "{head}: {answer}");
    }
}

#[test]
fn a_proxy_may_say_whom_it_serves_before_tls_begins() {
    let data = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(data.path(), "own");
    let mut settings = vec![
        ("HEADWATER_HTTPS_LISTEN", "127.0.0.1:0"),
        ("HEADWATER_TLS_CERT", cert.as_str()),
        ("HEADWATER_TLS_KEY", key.as_str()),
        ("HEADWATER_HTTP_TRUSTED_PROXIES", "127.0.0.0/8, ::1"),
    ];
    let line = |server: &Server, more: &str| {
        let url = format!("https://localhost:{}/readyz", server.https);
        format!("-s --ipv4 --cacert {cert} {more} {url}")
    };
    let server = Server::start(data.path(), &settings);
    for more in ["--haproxy-protocol", ""] {
        assert_eq!(output("curl", &line(&server, more)), "ready\n");
    }
    drop(server);
    settings.pop();
    let server = Server::start(data.path(), &settings);
    let line = line(&server, "--haproxy-protocol");
    let run = Command::new("curl").args(line.split_whitespace()).output().unwrap();
    assert!(!run.status.success(), "a proxy that is not trusted");
}

#[test]
fn a_proxy_that_is_not_listed_is_not_believed() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[]);
    let answer = say(
        server.http,
        b"PROXY TCP4 203.0.113.9 127.0.0.1 4711 8080\r\n",
        "GET / HTTP/1.0\r\n\r\n",
    );
    assert!(answer.starts_with("http/1.1 400") || answer.is_empty(), "{answer}");
}

#[test]
fn copied_addresses_name_the_host_that_the_page_was_opened_with() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &[("HEADWATER_HTTP_TRUSTED_PROXIES", "127.0.0.1")]);
    let publish = |lines: &str| {
        let mut stream = TcpStream::connect(("127.0.0.1", server.http)).unwrap();
        write!(stream, "GET /api/v1/live HTTP/1.0\r\n{lines}\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let json: serde_json::Value = serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap();
        json["publish"].as_str().map(str::to_owned)
    };
    let rtmp = |host: &str| Some(format!("rtmp://{host}:{}/live", server.rtmp));
    assert_eq!(publish("Host: localhost:8080\r\n"), rtmp("localhost"));
    assert_eq!(publish("Host: 192.168.1.5:8080\r\n"), rtmp("192.168.1.5"));
    let proxied = "Host: localhost:8080\r\nX-Forwarded-For: 203.0.113.9\r\n";
    assert_eq!(publish(proxied), None, "localhost would be the viewer's own machine");
    let told = format!("{proxied}X-Forwarded-Host: live.example\r\n");
    assert_eq!(publish(&told), rtmp("live.example"));
}
