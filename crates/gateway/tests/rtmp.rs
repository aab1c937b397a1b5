//! Publishers and players on real sockets of this machine.

mod support;

use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use gateway::rtmp::Options;
use hub::{Name, State};
use media::Kind;
use rtmp::client::{Event, Intent};
use support::{Client, Server, frame, publish_seconds};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

#[tokio::test]
async fn what_is_published_is_played_from_a_key_frame_on() {
    let server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..2).await;
    server.has_read(60 * 3_000).await;

    let mut player = Client::play(&server, "colors").await;
    let media = player.media(20).await;
    let first_video = media
        .iter()
        .filter(|(kind, ..)| *kind == Kind::Video)
        .map(|(.., tag)| tag[..2].to_vec());
    let first_video: Vec<Vec<u8>> = first_video.take(2).collect();
    assert_eq!(
        first_video,
        [vec![0x17, 0], vec![0x17, 1]],
        "a sequence header, then a key frame"
    );
    let times: Vec<u32> = media
        .iter()
        .filter(|(kind, ..)| *kind == Kind::Video)
        .map(|(_, time, _)| *time)
        .collect();
    assert!(times.is_sorted(), "{times:?}");

    // Live from here on.
    publisher.send_frame(2_000, true).await;
    publisher.send_frame(2_033, false).await;
    let mut latest = 0;
    while latest < 2_000 {
        latest = player.media(1).await[0].1.max(latest);
    }
    assert_eq!(server.stats().players.value(), 1);
}

#[tokio::test]
async fn metadata_comes_before_the_first_frame() {
    let server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    let mut player = Client::play(&server, "colors").await;
    loop {
        match player.event().await {
            Event::Metadata(metadata) => {
                assert!(metadata.width.is_some_and(|width| width > 0.0));
                return;
            }
            Event::Media { .. } => panic!("media before metadata"),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_clean_end_and_a_lost_connection_are_told_apart() {
    let server = Server::start().await;
    let mut events = server.hub.subscribe();
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    publisher.session.finish();
    publisher.flush().await;
    assert_eq!(support::ending(&mut events).await, hub::Ending::Unpublished);
    drop(publisher);

    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 1..2).await;
    drop(publisher);
    assert_eq!(support::ending(&mut events).await, hub::Ending::Lost);
    server
        .settled(|stats| stats.publishers.value() == 0 && stats.connections.value() == 0)
        .await;
}

#[tokio::test]
async fn a_publisher_that_leaves_without_reading_our_answers_loses_nothing() {
    for _ in 0..5 {
        let server = Server::start().await;
        let mut events = server.hub.subscribe();
        let mut publisher = Client::publish(&server, "colors").await;
        let mut follower = server.broadcast("colors").follow(hub::Follow::FromStart);
        // Enough for an acknowledgement, which stays unread, so that the close becomes a reset.
        publisher.send_config().await;
        for index in 0..45 {
            publisher.send(index * 33, &frame(index, true, 60_000)).await;
        }
        server.has_read(45 * 60_000).await;
        for index in 45..90 {
            publisher
                .session
                .send_media(Kind::Video, index * 33, &frame(index, true, 1_000));
        }
        publisher.session.finish();
        publisher.flush().await;
        drop(publisher);
        assert_eq!(support::ending(&mut events).await, hub::Ending::Unpublished);
        let mut items = Vec::new();
        follower.next_batch(&mut items).await;
        let frames = items.iter().filter(|item| {
            matches!(
                item,
                hub::Item::Sample {
                    track: media::TrackId::VIDEO,
                    ..
                }
            )
        });
        assert_eq!(frames.count(), 90);
    }
}

#[tokio::test]
async fn a_second_publisher_takes_over_and_the_first_hears_why() {
    let server = Server::start().await;
    let mut first = Client::publish(&server, "colors").await;
    publish_seconds(&mut first, 0..1).await;
    let mut second = Client::publish(&server, "colors").await;
    let Event::Refused { code, description } = first.event().await else {
        panic!("the first is told")
    };
    assert_eq!(code, "NetStream.Publish.BadName");
    assert!(description.contains("took over"), "{description}");
    assert!(first.is_closed().await);
    publish_seconds(&mut second, 0..1).await;
    assert_eq!(server.broadcast("colors").state(), State::Live);
    assert_eq!(server.stats().publishers.value(), 1);
}

#[tokio::test]
async fn hostile_names_are_bad_names() {
    let server = Server::start().await;
    for name in [
        "../../etc/x",
        "..%2f..%2fx",
        "/abs",
        "a/../../b",
        "a\0b",
        "\u{202e}gpj",
        "",
        ".",
        "a;id",
        "<img>",
    ] {
        let mut client = Client::connect(&server, Intent::Publish, name).await;
        let Event::Refused { code, .. } = client.event().await else {
            panic!("{name} is refused")
        };
        assert_eq!(code, "NetStream.Publish.BadName", "{name}");
        assert!(client.is_closed().await);
    }
    assert!(server.hub.broadcasts().is_empty());
}

#[tokio::test]
async fn nothing_is_not_found_and_may_be_asked_for_again() {
    let server = Server::start().await;
    let mut player = Client::connect(&server, Intent::Play, "nobody").await;
    let Event::Refused { code, .. } = player.event().await else {
        panic!("there is nothing")
    };
    assert_eq!(code, "NetStream.Play.StreamNotFound");
}

#[tokio::test]
async fn a_player_that_does_not_read_skips_and_harms_nobody() {
    let server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publisher.send_config().await;
    publisher.send(0, &frame(0, true, 1_000)).await;
    let lazy = Client::play(&server, "colors").await;
    let mut prompt = Client::play(&server, "colors").await;
    let reading = tokio::spawn(async move {
        let mut newest = 0;
        while newest < 299 * 33 {
            newest = prompt.media(1).await[0].1;
        }
    });
    // 300 frames of 300 kB are more than the feed keeps and any socket takes.
    for index in 1..300_u32 {
        publisher
            .send(index * 33, &frame(index, index % 30 == 0, 300_000))
            .await;
    }
    publisher.send(300 * 33, &frame(300, true, 1_000)).await;
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .expect("the prompt player has it all")
        .unwrap();

    let mut lazy = lazy;
    let mut last = 0;
    while last < 300 * 33 - 50 {
        let (kind, time, tag) = lazy.media(1).await.remove(0);
        if kind == Kind::Video && tag[1] == 1 {
            assert!(time - last < 100 || tag[0] == 0x17, "after a gap comes a key frame");
            last = time;
        }
    }
    server.settled(|stats| stats.skips.load(Ordering::Relaxed) > 0).await;
}

#[tokio::test]
async fn a_player_that_takes_nothing_is_disconnected_in_the_end() {
    let options = Options {
        stall: Duration::from_millis(300),
        ..Options::default()
    };
    let server = Server::with(options, hub::Settings::default()).await;
    let mut publisher = Client::publish(&server, "colors").await;
    publisher.send_config().await;
    publisher.send(0, &frame(0, true, 1_000)).await;
    let _lazy = Client::play(&server, "colors").await;
    for index in 1..200_u32 {
        publisher
            .send(index * 33, &frame(index, index % 30 == 0, 100_000))
            .await;
    }
    server
        .settled(|stats| stats.players.value() == 0 && stats.publishers.value() == 1)
        .await;
    assert_eq!(server.stats().stalled.load(Ordering::Relaxed), 1);
}

#[tokio::test]
async fn a_thousand_half_open_connections_do_not_keep_anybody_out() {
    let server = Server::start().await;
    let mut idle = Vec::new();
    for _ in 0..1_000 {
        idle.push(tokio::net::TcpStream::connect(server.address).await.unwrap());
    }
    server.settled(|stats| stats.half_open.value() == 1_000).await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    let mut player = Client::play(&server, "colors").await;
    assert_eq!(player.media(3).await.len(), 3);
    drop(idle);
    server.settled(|stats| stats.half_open.value() == 0).await;
}

#[tokio::test]
async fn one_half_open_connection_too_many_is_turned_away() {
    let options = Options {
        half_open_per_address_max: 2,
        ..Options::default()
    };
    let server = Server::with(options, hub::Settings::default()).await;
    let first = tokio::net::TcpStream::connect(server.address).await.unwrap();
    let _second = tokio::net::TcpStream::connect(server.address).await.unwrap();
    server.settled(|stats| stats.half_open.value() == 2).await;
    assert!(support::is_closed(tokio::net::TcpStream::connect(server.address).await.unwrap()).await);
    drop(first);
    server.settled(|stats| stats.half_open.value() == 1).await;
    Client::publish(&server, "colors").await;
}

#[tokio::test]
async fn noise_is_closed_at_once_and_counted() {
    let server = Server::start().await;
    for (bytes, label) in [(&b"GET / HTTP/1.1\r\n\r\n"[..], "not_rtmp"), (b"\x06", "rtmpe")] {
        let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
        AsyncWriteExt::write_all(&mut stream, bytes).await.unwrap();
        assert!(support::is_closed(stream).await);
        server
            .settled(|stats| stats.protocol_errors().get(label) == Some(&1))
            .await;
    }
}

#[tokio::test]
async fn a_slow_handshake_is_cut_off() {
    let limits = rtmp::Limits {
        handshake: Duration::from_millis(200),
        ..rtmp::Limits::default()
    };
    let server = Server::with(
        Options {
            limits,
            ..Options::default()
        },
        hub::Settings::default(),
    )
    .await;
    let mut stream = tokio::net::TcpStream::connect(server.address).await.unwrap();
    AsyncWriteExt::write_all(&mut stream, b"\x03\0\0").await.unwrap();
    assert!(support::is_closed(stream).await);
    server
        .settled(|stats| stats.protocol_errors().contains_key("handshake_timeout"))
        .await;
}

#[tokio::test]
async fn the_end_of_a_broadcast_is_told_to_its_players() {
    let server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    let mut player = Client::play(&server, "colors").await;
    player.media(2).await;
    publisher.session.finish();
    publisher.flush().await;
    // A clean end is final after five seconds.
    let ended = async { while player.event().await != Event::Ended {} };
    tokio::time::timeout(Duration::from_secs(15), ended)
        .await
        .expect("the player hears of the end");
}

#[tokio::test]
async fn audio_alone_plays() {
    let server = Server::start().await;
    let mut publisher = Client::publish(&server, "radio").await;
    publisher.session.send_media(Kind::Audio, 0, b"\xaf\x00\x11\x90");
    for index in 0..100_u32 {
        publisher
            .session
            .send_media(Kind::Audio, index * 21, b"\xaf\x01\x21\x10\x04\x60\x8c\x1c");
        publisher.flush().await;
    }
    let mut player = Client::play(&server, "radio").await;
    let media = player.media(3).await;
    assert!(media.iter().all(|(kind, ..)| *kind == Kind::Audio));
    assert_eq!(media[0].2, Bytes::from_static(b"\xaf\x00\x11\x90"));
}

#[tokio::test]
async fn a_player_that_pauses_goes_on_at_a_key_frame() {
    let server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    let mut player = Client::play(&server, "colors").await;
    player.media(5).await;
    let pause = |paused: bool| {
        rtmp::Command::new(
            "pause",
            0.0,
            vec![rtmp::amf0::Value::Null, paused.into(), rtmp::amf0::Value::Number(0.0)],
        )
    };
    player.session.call(&pause(true));
    player.flush().await;
    player
        .until(|event| matches!(event, Event::Status { code, .. } if code == "NetStream.Pause.Notify"))
        .await;
    publish_seconds(&mut publisher, 1..3).await;
    server.has_read(90 * 3_000).await;
    player.session.call(&pause(false));
    player.flush().await;
    player
        .until(|event| matches!(event, Event::Status { code, .. } if code == "NetStream.Unpause.Notify"))
        .await;
    let media = player.media(2).await;
    assert_eq!(media[1].2[..2], [0x17, 1], "a key frame after the sequence header");
    assert!(media[1].1 >= 1_900, "the newest one: {}", media[1].1);
}

#[tokio::test]
async fn rtmps_is_rtmp_inside_tls() {
    let (server, trusted) = Server::start_tls().await;
    let mut publisher = Client::over(support::tls(&server, &trusted).await, Intent::Publish, "colors").await;
    publisher.until(|event| *event == Event::Ready).await;
    publish_seconds(&mut publisher, 0..2).await;
    let mut player = Client::over(support::tls(&server, &trusted).await, Intent::Play, "colors").await;
    player.until(|event| *event == Event::Ready).await;
    assert_eq!(player.media(30).await.len(), 30);
    let name = Name::parse("colors").unwrap();
    let source = server.hub.broadcast(&name).unwrap().source().unwrap();
    assert_eq!(source.protocol, hub::Protocol::Rtmps);
}

#[tokio::test]
async fn stopping_the_server_closes_everything_and_keeps_the_broadcast_waiting() {
    let mut server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    let broadcast = server.broadcast("colors");
    server.has_read(30 * 3_000).await;
    server.stop().await;
    assert!(publisher.is_closed().await);
    assert_eq!(broadcast.state(), State::Waiting);
    assert_eq!(server.stats().connections.value(), 0);
}

#[tokio::test]
async fn a_publisher_that_can_connect_anew_is_asked_to_before_the_server_stops_and_loses_nothing() {
    let mut server = Server::start().await;
    let mut publisher = Client::publish(&server, "colors").await;
    publish_seconds(&mut publisher, 0..1).await;
    let broadcast = server.broadcast("colors");
    server.has_read(30 * 3_000).await;
    let stats = server.stats();
    let before = stats.bytes_in.load(Ordering::Relaxed);
    let leaving = async {
        let asked = |event: &Event| match event {
            Event::Reconnect { tc_url, description } => tc_url.is_none() && description.contains("restart"),
            _ => false,
        };
        publisher.until(asked).await;
        publisher.send_frame(1_000, true).await;
        // It is served until it leaves.
        while stats.bytes_in.load(Ordering::Relaxed) == before {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        drop(publisher);
    };
    tokio::join!(leaving, server.stop());
    assert_eq!(broadcast.state(), State::Waiting);
}

/// Connects to the server, and says first what a proxy would.
async fn through_a_proxy(server: &Server, header: &[&[u8]]) -> tokio::net::TcpStream {
    let mut io = tokio::net::TcpStream::connect(server.address).await.unwrap();
    io.set_nodelay(true).unwrap();
    for piece in header {
        io.write_all(piece).await.unwrap();
    }
    io
}

#[tokio::test]
async fn a_trusted_proxy_says_where_a_publisher_is() {
    let server = Server::behind_a_proxy().await;
    let mut v2 = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c".to_vec();
    v2.extend([127, 9, 9, 9, 127, 0, 0, 1, 0x12, 0x34, 7, 0x8f]);
    let cases: [(&str, Vec<&[u8]>, &str); 3] = [
        (
            "one",
            vec![b"PROXY TCP4 127.9.9.9 127.0.0.1 4660 1935\r\n"],
            "127.9.9.9:4660",
        ),
        ("two", vec![&v2], "127.9.9.9:4660"),
        ("three", vec![&v2[..5], &v2[5..20], &v2[20..]], "127.9.9.9:4660"),
    ];
    for (name, header, peer) in cases {
        let io = through_a_proxy(&server, &header).await;
        let mut publisher = Client::over(io, Intent::Publish, name).await;
        publisher.until(|event| *event == Event::Ready).await;
        let source = server.broadcast(name).source().unwrap();
        assert_eq!(source.peer.to_string(), peer);
    }
    assert_eq!(server.stats().half_open.value(), 0);
    Client::publish(&server, "direct").await;
}

#[tokio::test]
async fn whom_a_proxy_serves_is_not_taken_for_the_proxy() {
    let server = Server::behind_a_proxy().await;
    let io = through_a_proxy(&server, &[b"PROXY TCP4 203.0.113.9 127.0.0.1 4660 1935\r\n"]).await;
    let mut publisher = Client::over(io, Intent::Publish, "colors").await;
    publisher.until(|event| matches!(event, Event::Refused { .. })).await;
}

#[tokio::test]
async fn nobody_else_may_say_where_a_publisher_is() {
    for (server, header) in [
        (
            Server::start().await,
            &b"PROXY TCP4 127.9.9.9 127.0.0.1 4660 1935\r\n"[..],
        ),
        (Server::behind_a_proxy().await, b"PROXY nonsense\r\n"),
    ] {
        let mut io = through_a_proxy(&server, &[header]).await;
        io.write_all(&[0; 2_000]).await.unwrap();
        let mut answer = Vec::new();
        // Closed, with what was sent after it unread or not.
        let _ = io.read_to_end(&mut answer).await;
        assert!(answer.is_empty());
    }
}
