//! TLS and HTTP/2, with curl.

mod common;

use common::{Publisher, Server, output};

fn certificate(dir: &std::path::Path) -> (String, String) {
    let (cert, key) = (dir.join("cert.pem"), dir.join("key.pem"));
    let paths = (cert.to_str().unwrap().to_owned(), key.to_str().unwrap().to_owned());
    let subject = "-subj /CN=localhost -addext subjectAltName=DNS:localhost";
    output(
        "openssl",
        &format!(
            "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 {subject} -keyout {} -out {}",
            paths.1, paths.0
        ),
    );
    paths
}

#[test]
fn the_same_stream_is_served_with_tls_over_http_1_and_2() {
    let data = tempfile::tempdir().unwrap();
    let (cert, key) = certificate(data.path());
    let settings = [
        ("HEADWATER_HTTPS_LISTEN", "127.0.0.1:0"),
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
}
