//! The client against servers, names and addresses that mean it ill.

use std::sync::Arc;
use std::time::Duration;

use openidconnect::AsyncHttpClient;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;

use super::testing::{Answers, Server, answer, local, receive, resolving, trusting};
use super::*;

const LIMITS: Limits = Limits {
    time_max: Duration::from_secs(20),
    body_bytes_max: 1_000,
    redirects_max: 3,
};

/// Addresses that must not be called, as an attacker would write them; every name means the address in front of it.
const HOSTILE: &[(&str, &str)] = &[
    // Loopback in the forms that browsers and C libraries read.
    ("", "http://127.0.0.1/"),
    ("", "http://127.1/"),
    ("", "http://127.0.1/"),
    ("", "http://0177.0.0.1/"),
    ("", "http://0x7f.0.0.1/"),
    ("", "http://0x7f.1/"),
    ("", "http://0x7f000001/"),
    ("", "http://2130706433/"),
    ("", "http://017700000001/"),
    ("", "http://00000000177.0.0.1/"),
    ("", "http://127.0.0.1./"),
    ("", "http://%31%32%37.0.0.1/"),
    ("", "http://１２７.０.０.１/"),
    ("", "http://①②⑦.⓪.⓪.①/"),
    ("", "http://127。0。0。1/"),
    ("", "http:\\\\127.0.0.1\\"),
    ("", "http:127.0.0.1/"),
    ("", "http://127.255.255.254:8080/"),
    ("", "http://0/"),
    ("", "http://0.0.0.0:8080/"),
    // IPv6, and IPv4 inside it.
    ("", "http://[::]/"),
    ("", "http://[::1]/"),
    ("", "http://[0:0:0:0:0:0:0:1]/"),
    ("", "http://[::127.0.0.1]/"),
    ("", "http://[::ffff:127.0.0.1]/"),
    ("", "http://[::ffff:7f00:1]/"),
    ("", "http://[0:0:0:0:0:ffff:169.254.169.254]/"),
    ("", "http://[::ffff:8.8.8.8]/"),
    ("", "http://[64:ff9b::127.0.0.1]/"),
    ("", "http://[64:ff9b:1::10.0.0.1]/"),
    ("", "http://[2002:7f00:1::]/"),
    ("", "http://[2002:c0a8:101::1]/"),
    ("", "http://[2001:0:5ef5:79fd:0:0:f5ff:fffe]/"),
    ("", "http://[fd00:ec2::254]/latest/meta-data/"),
    ("", "http://[fe80::1]/"),
    ("", "http://[fec0::1]/"),
    ("", "http://[ff02::1]/"),
    // Private and special networks.
    ("", "http://10.0.0.1/"),
    ("", "http://172.16.0.1/"),
    ("", "http://192.168.1.1/"),
    ("", "http://100.64.0.1/"),
    ("", "http://169.254.169.254/latest/meta-data/"),
    ("", "http://0xa9fea9fe/"),
    ("", "http://2852039166/"),
    ("", "http://198.18.0.1/"),
    ("", "http://192.0.2.1/"),
    ("", "http://224.0.0.1/"),
    ("", "http://255.255.255.255/"),
    // Names that mean such an address.
    ("127.0.0.1", "http://localhost/"),
    ("127.0.0.1", "http://localhost./"),
    ("::1", "https://LOCALHOST/"),
    ("127.0.0.1", "http://localtest.me/"),
    ("169.254.169.254", "http://metadata.google.internal/computeMetadata/v1/"),
    ("10.0.0.8", "http://intranet/"),
    ("::ffff:192.168.0.1", "http://mapped.test/"),
    ("64:ff9b::a00:1", "http://nat64.test/"),
    ("0.0.0.0", "http://zero.test/"),
    // Other schemes, hidden hosts, no port.
    ("8.8.8.8", "ftp://example.com/"),
    ("8.8.8.8", "file:///etc/passwd"),
    ("8.8.8.8", "gopher://example.com:25/_HELO"),
    ("8.8.8.8", "data:text/plain,x"),
    ("8.8.8.8", "unix:/var/run/docker.sock"),
    ("8.8.8.8", "http://user@example.com/"),
    ("8.8.8.8", "http://user:password@example.com/"),
    ("8.8.8.8", "http://example.com@127.0.0.1/"),
    ("8.8.8.8", "http://:password@example.com/"),
    ("8.8.8.8", "http://example.com:0/"),
    ("", "http://127.0.0.1:65536/"),
    ("", "http://[::1%25lo]/"),
    ("", "http:///"),
    ("", "http://"),
];

#[tokio::test]
async fn no_hostile_address_is_called() {
    for (means, text) in HOSTILE {
        let list: &[&str] = if means.is_empty() { &[] } else { &[means] };
        let outbound = resolving(Answers::new(&[list]), &[]);
        let Ok(url) = text.parse() else { continue };
        let outcome = outbound.send(Request::get(url), LIMITS).await;
        assert!(
            matches!(outcome, Err(Error::NotAllowed { .. } | Error::Address(_))),
            "{text}: {outcome:?}"
        );
    }
}

#[tokio::test]
async fn a_refusal_does_not_tell_what_a_name_means() {
    let outbound = resolving(Answers::new(&[&["10.1.2.3"]]), &[]);
    let error = outbound
        .send(Request::get("http://intranet/".parse().unwrap()), LIMITS)
        .await;
    let text = error.unwrap_err().to_string();
    assert!(text.contains("intranet") && !text.contains("10.1.2.3"), "{text}");
}

#[tokio::test]
async fn the_address_that_was_judged_is_the_one_that_is_called() {
    let server = Server::saying(&answer("200 OK", "", "here")).await;
    let send = |first: &'static str, then: &'static str| {
        let outbound = resolving(Answers::new(&[&[first], &[then]]), &["127.0.0.1/32"]);
        let url = format!("http://rebind.test:{}/", server.port).parse().unwrap();
        async move { outbound.send(Request::get(url), LIMITS).await }
    };
    // Were the name asked again between judging and connecting, the first would fail and the second would reach the server.
    assert_eq!(send("127.0.0.1", "10.0.0.1").await.unwrap().body, "here");
    let refused = send("10.0.0.1", "127.0.0.1").await;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })));
    assert_eq!(server.count(), 1);
}

#[tokio::test]
async fn of_many_addresses_only_those_that_may_be_called_are_tried() {
    let server = Server::saying(&answer("200 OK", "", "here")).await;
    let outbound = resolving(
        Answers::new(&[&["10.0.0.1", "127.0.0.9", "127.0.0.1"]]),
        &["127.0.0.1/32"],
    );
    let url = format!("http://many.test:{}/", server.port).parse().unwrap();
    assert_eq!(outbound.send(Request::get(url), LIMITS).await.unwrap().body, "here");
}

#[tokio::test]
async fn an_allowed_network_is_called_as_the_address_says() {
    let server = Server::saying(&answer("201 Created", "x-mark: 7\r\n", "made")).await;
    let mut request = Request::post(server.url("/a%20b?c=d#e"), "body");
    request.headers.insert("content-length", "9".parse().unwrap());
    request.headers.insert("host", "other.test".parse().unwrap());
    let response = local().send(request, LIMITS).await.unwrap();
    assert_eq!((response.status.as_u16(), &response.body[..]), (201, &b"made"[..]));
    assert_eq!(response.headers["x-mark"], "7");
    let heard = server.last();
    assert!(heard.head.starts_with("POST /a%20b?c=d HTTP/1.1\r\n"), "{}", heard.head);
    assert_eq!(
        heard.header("host"),
        Some(format!("127.0.0.1:{}", server.port).as_str())
    );
    assert_eq!(heard.body, "body");
}

#[tokio::test]
async fn a_redirect_is_judged_like_the_first_address() {
    let inside = Server::saying(&answer("200 OK", "", "secret")).await;
    let location = format!("location: http://127.0.0.1:{}/\r\n", inside.port);
    let outside = Server::saying(&answer("302 Found", &location, "")).await;
    let outbound = resolving(Answers::new(&[&["127.0.0.2", "127.0.0.1"]]), &[]);
    let refused = outbound.send(Request::get(outside.url("/")), LIMITS).await;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })));

    // The first host may be called, the second may not: only the redirect leads there.
    let listener = TcpListener::bind("127.0.0.2:0").await.unwrap();
    let from = format!("http://127.0.0.2:{}/", listener.local_addr().unwrap().port());
    let task = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        receive(&mut stream).await;
        stream
            .write_all(answer("302 Found", &location, "").as_bytes())
            .await
            .unwrap();
    });
    let outbound = Outbound::new(vec!["127.0.0.2/32".parse().unwrap()]);
    let refused = outbound.send(Request::get(from.parse().unwrap()), LIMITS).await;
    assert!(matches!(refused, Err(Error::NotAllowed { host }) if host == "127.0.0.1"));
    task.await.unwrap();
    assert_eq!(inside.count(), 0);
}

#[tokio::test]
async fn redirects_are_followed_when_asked_for_and_not_for_ever() {
    let server = Server::start(|heard| {
        let step: u32 = heard.head[5..6].parse().unwrap();
        let location = format!("location: /{}\r\n", step.saturating_sub(1));
        Some(match step {
            0 => answer("200 OK", "", "end"),
            _ => answer("302 Found", &location, ""),
        })
    })
    .await;
    let send = |path: &str, redirects_max| {
        let request = Request::get(server.url(path));
        async move {
            local()
                .send(
                    request,
                    Limits {
                        redirects_max,
                        ..LIMITS
                    },
                )
                .await
        }
    };
    assert_eq!(send("/3", 9).await.unwrap().body, "end");
    assert!(matches!(send("/4", 9).await, Err(Error::TooManyRedirects)));
    assert!(matches!(send("/2", 1).await, Err(Error::TooManyRedirects)));
    assert_eq!(send("/1", 0).await.unwrap().status.as_u16(), 302);
}

#[tokio::test]
async fn a_body_over_the_limit_is_not_read_to_its_end() {
    let long = "x".repeat(1_001);
    let stated = Server::saying(&answer("200 OK", "", &long)).await;
    let chunked = format!("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3e9\r\n{long}\r\n");
    let endless = Server::saying(&chunked).await;
    for server in [&stated, &endless] {
        let outcome = local().send(Request::get(server.url("/")), LIMITS).await;
        assert!(matches!(outcome, Err(Error::TooLarge { max: 1_000 })), "{outcome:?}");
    }
    let exact = Server::saying(&answer("200 OK", "", &long[1..])).await;
    assert_eq!(
        local()
            .send(Request::get(exact.url("/")), LIMITS)
            .await
            .unwrap()
            .body
            .len(),
        1_000
    );
}

#[tokio::test]
async fn an_answer_that_is_not_http_or_all_headers_is_refused() {
    let many: String = (0..200).map(|n| format!("x-{n}: 1\r\n")).collect();
    let wide = format!("x-wide: {}\r\n", "w".repeat(200 << 10));
    for bytes in [
        "",
        "SSH-2.0-OpenSSH_9.6\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nshort",
        &answer("200 OK", &many, ""),
        &answer("200 OK", &wide, ""),
    ] {
        let server = Server::saying(bytes).await;
        let outcome = local().send(Request::get(server.url("/")), LIMITS).await;
        assert!(matches!(outcome, Err(Error::Http { .. })), "{outcome:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_is_slow_is_waited_for_only_so_long() {
    let silent = Server::start(|_| None).await;
    let started = tokio::time::Instant::now();
    let outcome = local().send(Request::get(silent.url("/")), LIMITS).await;
    assert!(matches!(outcome, Err(Error::Timeout { .. })), "{outcome:?}");
    assert_eq!(started.elapsed().as_secs(), 20);
}

#[tokio::test]
async fn a_dead_peer_and_an_unknown_name_are_told_apart() {
    let port = Server::saying("").await.port;
    let dead = format!("http://127.0.0.1:{port}/").parse().unwrap();
    assert!(matches!(
        local().send(Request::get(dead), LIMITS).await,
        Err(Error::Connect { .. })
    ));
    let nobody = resolving(Answers::new(&[&[]]), &[]);
    assert!(matches!(
        nobody
            .send(Request::get("http://nobody.test/".parse().unwrap()), LIMITS)
            .await,
        Err(Error::Unknown { .. })
    ));
}

#[tokio::test]
async fn a_certificate_must_be_trusted_and_name_the_host() {
    let rcgen::CertifiedKey { cert, signing_key } =
        rcgen::generate_simple_self_signed(vec!["right.test".to_owned()]).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![cert.der().clone()], key)
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let task = tokio::spawn(async move {
        let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            let Ok(mut stream) = acceptor.accept(stream).await else {
                continue;
            };
            receive(&mut stream).await;
            stream.write_all(answer("200 OK", "", "safe").as_bytes()).await.unwrap();
            drop(stream.shutdown().await);
        }
    });
    let mut roots = rustls::RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let here = || Answers::new(&[&["127.0.0.1"]]);
    let get = |host: &str| Request::get(format!("https://{host}:{port}/").parse().unwrap());

    let trusts = trusting(here(), roots);
    assert_eq!(trusts.send(get("right.test"), LIMITS).await.unwrap().body, "safe");
    assert_eq!(trusts.send(get("right.test."), LIMITS).await.unwrap().body, "safe");
    assert!(matches!(
        trusts.send(get("wrong.test"), LIMITS).await,
        Err(Error::Tls { .. })
    ));
    let stranger = resolving(here(), &["127.0.0.1/32"]);
    assert!(matches!(
        stranger.send(get("right.test"), LIMITS).await,
        Err(Error::Tls { .. })
    ));
    task.abort();
}

#[tokio::test]
async fn the_openid_client_is_the_same_client() {
    let server = Server::saying(&answer("302 Found", "location: /elsewhere\r\n", "{}")).await;
    let request = |url: &str| {
        http::Request::post(url)
            .header("authorization", "Basic x")
            .body(b"grant_type=x".to_vec())
            .unwrap()
    };
    let response = local().call(request(server.url("/token").as_str())).await.unwrap();
    assert_eq!((response.status().as_u16(), &response.body()[..]), (302, &b"{}"[..]));
    assert_eq!(server.last().body, "grant_type=x");
    assert_eq!(server.last().header("authorization"), Some("Basic x"));
    let refused = Outbound::new(Vec::new()).call(request(server.url("/").as_str())).await;
    assert!(matches!(refused, Err(Error::NotAllowed { .. })));
}
