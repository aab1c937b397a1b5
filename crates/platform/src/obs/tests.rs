//! Requests as OBS Studio's source writes them, and answers that pass every check there. The files that are named are those of its
//! repository, below `frontend/utility/` unless they say otherwise.

use std::sync::Arc;

use hub::Codec;
use serde_json::{Value, json};

use super::*;

/// By `constructGoLivePost` of `GoLiveAPI_PostData.cpp` and the `to_json` of `models/multitrack-video.hpp`.
const NEW: &str = include_str!("request-2025-01-25.json");
/// The same of OBS 30.2: no list of encoders, one canvas, no word of audio.
const OLD: &str = include_str!("request-2024-06-04.json");

fn rung(size: u32, frame_rate_max: u32, bitrate: u32, codec: Codec) -> Rung {
    Rung {
        name: Arc::from(format!("{size}p")),
        size,
        frame_rate_max,
        bitrate,
        codec,
    }
}

fn ladder() -> Vec<Rung> {
    usual_rungs()
}

fn addresses() -> Vec<String> {
    vec![
        "rtmps://live.example.org:1936/live".to_owned(),
        "rtmp://live.example.org:1935/live".to_owned(),
    ]
}

/// The request with some of its fields changed: JSON pointers and what stands there.
fn request(text: &str, changes: &[(&str, Value)]) -> Request {
    serde_json::from_value(changed(text, changes)).expect("OBS's request can be read")
}

fn changed(text: &str, changes: &[(&str, Value)]) -> Value {
    let mut value: Value = serde_json::from_str(text).expect("JSON");
    for (pointer, change) in changes {
        let (parent, name) = pointer.rsplit_once('/').expect("a pointer");
        let parent = value.pointer_mut(parent).expect("it is there");
        parent[name] = change.clone();
    }
    value
}

fn answered(text: &str, changes: &[(&str, Value)], rungs: &[Rung]) -> Value {
    let answer = answer(&request(text, changes), rungs, &Limits::default(), &addresses());
    let request = changed(text, changes);
    let answer = serde_json::to_value(&answer).expect("JSON");
    obs_accepts(&request, &answer);
    answer
}

/// Each video track: its encoder, size, rate and kilobits per second.
fn tracks(answer: &Value) -> Vec<(String, u64, u64, f64, u64)> {
    let encoders = answer["encoder_configurations"].as_array().expect("a list");
    let number = |value: &Value| value.as_f64().expect("a number");
    encoders
        .iter()
        .map(|encoder| {
            let framerate = &encoder["framerate"];
            (
                encoder["type"].as_str().expect("text").to_owned(),
                encoder["width"].as_u64().expect("a number"),
                encoder["height"].as_u64().expect("a number"),
                (number(&framerate["numerator"]) / number(&framerate["denominator"]) * 100.0).round() / 100.0,
                encoder["settings"]["bitrate"].as_u64().expect("a number"),
            )
        })
        .collect()
}

fn heights(answer: &Value) -> Vec<u64> {
    tracks(answer).into_iter().map(|(_, _, height, ..)| height).collect()
}

/// Every check that OBS makes before it streams.
fn obs_accepts(request: &Value, answer: &Value) {
    types_are_right(answer);
    status_lets_it_stream(answer);
    service_can_be_made(answer);
    video_encoders_can_be_made(request, answer);
    audio_encoders_can_be_made(request, answer);
}

/// `models/multitrack-video.hpp`: what its `from_json` throws for. `NLOHMANN_DEFINE_TYPE_INTRUSIVE` wants every field,
/// `…_WITH_DEFAULT` only that those which are there have the right type.
fn types_are_right(answer: &Value) {
    let text = |of: &Value, name: &str| assert!(of[name].is_string(), "{name} of {of}");
    let uint32 = |of: &Value, name: &str| {
        let number = of[name].as_u64();
        assert!(
            number.is_some_and(|number| u32::try_from(number).is_ok()),
            "{name} of {of}"
        );
    };
    // struct Meta
    ["service", "schema_version", "config_id"]
        .iter()
        .for_each(|name| text(&answer["meta"], name));
    // struct Status, and its std::optional<string>
    let words = &answer["status"]["html_en_us"];
    assert!(words.is_null() || words.is_string(), "{words}");
    // struct IngestEndpoint
    for endpoint in answer["ingest_endpoints"].as_array().expect("std::vector") {
        ["protocol", "url_template"]
            .iter()
            .for_each(|name| text(endpoint, name));
        assert!(endpoint.get("authentication").is_none(), "the user's own key is used");
    }
    // struct VideoEncoderConfiguration, media_frames_per_second, and NLOHMANN_JSON_SERIALIZE_ENUM: words that it does not know
    // become the first of each list without a word.
    for encoder in answer["encoder_configurations"].as_array().expect("std::vector") {
        text(encoder, "type");
        ["width", "height", "canvas_index"]
            .iter()
            .for_each(|name| uint32(encoder, name));
        ["numerator", "denominator"]
            .iter()
            .for_each(|name| uint32(&encoder["framerate"], name));
        let enums = [
            ("gpu_scale_type", "OBS_SCALE_BICUBIC"),
            ("colorspace", "VIDEO_CS_709"),
            ("range", "VIDEO_RANGE_PARTIAL"),
            ("format", "VIDEO_FORMAT_NV12"),
        ];
        for (name, word) in enums {
            assert_eq!(encoder[name], word);
        }
        assert!(
            encoder["settings"].is_object(),
            "obs_data_create_from_json takes objects only"
        );
    }
    // struct AudioEncoderConfiguration: all four are wanted.
    let audio = &answer["audio_configurations"];
    let vod = audio["vod"].as_array().cloned().unwrap_or_default();
    assert!(audio["vod"].is_null() || audio["vod"].is_array());
    for encoder in audio["live"].as_array().expect("std::vector").iter().chain(&vod) {
        text(encoder, "codec");
        ["track_id", "channels"].iter().for_each(|name| uint32(encoder, name));
        assert!(encoder["settings"].is_object());
    }
}

/// `GoLiveAPI_Network.cpp`, `HandleGoLiveApiErrors`: nothing but success passes without a question.
fn status_lets_it_stream(answer: &Value) {
    assert_eq!(answer["status"]["result"], "success");
}

/// `MultitrackVideoOutput.cpp`, `create_service`: the first endpoint whose protocol begins with RTMP, or is just that one where the
/// service's settings say so; the address ends before `/{stream_key}`; the `config_id` goes behind the key.
fn service_can_be_made(answer: &Value) {
    let endpoints = answer["ingest_endpoints"].as_array().expect("a list");
    for wanted in ["RTMP", "RTMPS"] {
        let endpoint = endpoints.iter().find(|endpoint| endpoint["protocol"] == wanted);
        let template = endpoint.and_then(|endpoint| endpoint["url_template"].as_str());
        let (server, rest) = template
            .and_then(|template| template.split_once("/{stream_key}"))
            .expect("an address with the key's place");
        assert!(rest.is_empty() && url::Url::parse(server).is_ok_and(|url| url.has_host()));
        assert_eq!(
            server.split_once("://").map(|(scheme, _)| scheme),
            Some(&*wanted.to_lowercase())
        );
    }
    let id = answer["meta"]["config_id"].as_str().expect("text");
    assert!(
        !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric()),
        "it becomes a query"
    );
}

/// `MultitrackVideoOutput.cpp`: `create_video_encoders`, `create_video_encoder`, `adjust_video_encoder_scaling`,
/// `adjust_encoder_frame_rate_divisor` and `closest_divisor`; `libobs/obs-internal.h`, `MAX_OUTPUT_VIDEO_ENCODERS`.
fn video_encoders_can_be_made(request: &Value, answer: &Value) {
    const MAX_OUTPUT_VIDEO_ENCODERS: usize = 10;
    let encoders = answer["encoder_configurations"].as_array().expect("a list");
    assert!(!encoders.is_empty() && encoders.len() <= MAX_OUTPUT_VIDEO_ENCODERS);
    let preferences = &request["preferences"];
    let canvas = preferences["canvases"].get(0).unwrap_or(preferences);
    let has = |name: &Value| match request["client"]["supported_encoders"].as_array() {
        Some(names) => names.contains(name),
        None => [
            "obs_x264",
            "jim_nvenc",
            "h264_texture_amf",
            "obs_qsv11_v2",
            "obs_nvenc_h264_tex",
        ]
        .iter()
        .any(|known| name == known),
    };
    let number = |value: &Value| value.as_u64().expect("a number");
    let (rate, seconds) = (&canvas["framerate"]["numerator"], &canvas["framerate"]["denominator"]);
    for encoder in encoders {
        assert_eq!(encoder["canvas_index"], 0, "there is one canvas at least");
        assert!(has(&encoder["type"]), "encoder_available: {}", encoder["type"]);
        assert!(number(&encoder["width"]) <= number(&canvas["canvas_width"]));
        assert!(number(&encoder["height"]) <= number(&canvas["canvas_height"]));
        assert!(number(&encoder["width"]) % 2 == 0 && number(&encoder["height"]) % 2 == 0);
        let target = number(&encoder["framerate"]["numerator"]) * number(seconds);
        let source = number(rate) * number(&encoder["framerate"]["denominator"]);
        assert!(target > 0, "closest_divisor divides by it");
        assert_eq!(source % target, 0, "and takes what is left of the rate: none");
        assert_eq!(encoder["settings"]["rate_control"], "CBR");
        assert!(number(&encoder["settings"]["bitrate"]) > 0);
        assert_eq!(encoder["settings"]["keyint_sec"], 2);
    }
}

/// `MultitrackVideoOutput.cpp`, `create_audio_encoders`: `create_encoders` throws for an empty list, also of recordings where its user
/// has a track for them; `sanitize_audio_channels` and `handle_speaker_layout_issues` cancel for fewer channels than OBS mixes.
fn audio_encoders_can_be_made(request: &Value, answer: &Value) {
    let audio = &answer["audio_configurations"];
    let live = audio["live"].as_array().expect("a list");
    assert!(!live.is_empty());
    let vod = audio["vod"].as_array().cloned().unwrap_or_default();
    assert_eq!(!vod.is_empty(), request["preferences"]["vod_track_audio"] == true);
    let mixed = request["preferences"]["audio_channels"].as_u64().unwrap_or(2);
    assert!(live.iter().chain(&vod).all(|encoder| encoder["channels"] == mixed));
}

#[test]
fn a_graphics_card_gets_the_canvas_and_the_rungs_below_it() {
    let answer = answered(NEW, &[], &ladder());
    let nvenc = || "obs_nvenc_h264_tex".to_owned();
    assert_eq!(
        tracks(&answer),
        [
            (nvenc(), 1_920, 1_080, 60.0, 8_000),
            (nvenc(), 1_280, 720, 30.0, 3_000),
            (nvenc(), 852, 480, 30.0, 1_400),
            (nvenc(), 640, 360, 30.0, 800),
            (nvenc(), 426, 240, 30.0, 400),
        ]
    );
    assert_eq!(answer["ingest_endpoints"][0]["protocol"], "RTMPS");
}

#[test]
fn an_older_obs_is_answered_by_its_graphics_card_and_its_users_limits() {
    let answer = answered(OLD, &[], &ladder());
    let nvenc = || "jim_nvenc".to_owned();
    assert_eq!(
        tracks(&answer),
        [
            (nvenc(), 1_280, 720, 59.94, 4_666),
            (nvenc(), 852, 480, 29.97, 1_400),
            (nvenc(), 640, 360, 29.97, 800),
            (nvenc(), 426, 240, 29.97, 400),
        ]
    );
    assert_eq!(answer["audio_configurations"]["vod"][0]["track_id"], 2);
}

#[test]
fn an_old_obs_of_another_system_gets_the_encoder_that_each_has() {
    for change in [
        ("/capabilities/system/name", json!("Linux")),
        ("/capabilities/gpu", Value::Null),
        ("/capabilities/gpu", json!([])),
        (
            "/capabilities/gpu",
            json!([{"model": "a card to come", "vendor_id": 1}]),
        ),
    ] {
        let answer = answered(OLD, &[change], &ladder());
        assert!(tracks(&answer).iter().all(|track| track.0 == "obs_x264"));
    }
    for (vendor, version, name) in [
        (0x1002, "30.2.3", "h264_texture_amf"),
        (0x8086, "30.2.3", "obs_qsv11_v2"),
        (0x10de, "31.0.0", "obs_nvenc_h264_tex"),
    ] {
        let changes = [
            ("/capabilities/gpu/0/vendor_id", json!(vendor)),
            ("/client/version", json!(version)),
        ];
        assert_eq!(tracks(&answered(OLD, &changes, &ladder()))[0].0, name);
    }
}

#[test]
fn the_codec_of_a_rung_is_used_where_obs_has_it() {
    let rungs = [
        rung(720, 60, 2_000_000, Codec::Av1),
        rung(480, 30, 1_000_000, Codec::Hevc),
    ];
    let names = |changes: &[_]| {
        let tracks = tracks(&answered(NEW, changes, &rungs)).into_iter();
        tracks.map(|track| track.0).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&[]),
        ["obs_nvenc_h264_tex", "obs_nvenc_av1_tex", "obs_nvenc_hevc_tex"]
    );
    let without_hevc = [("/client/supported_codecs", json!(["h264", "av1"]))];
    assert_eq!(
        names(&without_hevc),
        ["obs_nvenc_h264_tex", "obs_nvenc_av1_tex", "obs_nvenc_h264_tex"]
    );
    let software = [
        ("/client/supported_encoders", json!(["obs_x264"])),
        ("/capabilities/cpu/physical_cores", json!(16)),
    ];
    assert_eq!(names(&software), ["obs_x264"; 3]);
}

#[test]
fn a_processor_is_not_asked_for_more_than_half_of_it_can_do() {
    let software = |cores: i32| {
        let changes = [
            ("/client/supported_encoders", json!(["obs_x264"])),
            ("/capabilities/cpu/physical_cores", json!(cores)),
        ];
        heights(&answered(NEW, &changes, &ladder()))
    };
    assert_eq!(software(16), [1_080, 720, 480, 360, 240]);
    assert_eq!(software(8), [1_080, 480, 360, 240]);
    assert_eq!(software(4), [1_080], "the canvas is its user's own wish");
    assert_eq!(software(-1), [1_080]);
}

#[test]
fn the_users_limit_of_tracks_keeps_the_least_of_them() {
    let most = |most: u32| {
        heights(&answered(
            NEW,
            &[("/preferences/maximum_video_tracks", json!(most))],
            &ladder(),
        ))
    };
    assert_eq!(most(0), [1_080]);
    assert_eq!(most(1), [1_080]);
    assert_eq!(most(2), [1_080, 240]);
    assert_eq!(most(3), [1_080, 480, 240]);
    assert_eq!(most(5), [1_080, 720, 480, 360, 240]);
    assert_eq!(most(u32::MAX), [1_080, 720, 480, 360, 240]);
}

#[test]
fn the_users_limit_of_bits_takes_from_the_main_track_first_and_then_rungs_from_the_top() {
    let most = |kbps: u64| {
        let answer = answered(
            NEW,
            &[("/preferences/maximum_aggregate_bitrate", json!(kbps))],
            &ladder(),
        );
        let tracks = tracks(&answer);
        let all: u64 = tracks.iter().map(|track| track.4).sum();
        assert!(all + 160 <= kbps.max(161), "{kbps}: {tracks:?}");
        (heights(&answer), tracks[0].4)
    };
    assert_eq!(most(20_000), (vec![1_080, 720, 480, 360, 240], 8_000));
    assert_eq!(most(12_000), (vec![1_080, 720, 480, 360, 240], 6_240));
    assert_eq!(most(9_000), (vec![1_080, 480, 360, 240], 6_240));
    assert_eq!(most(6_000), (vec![1_080, 240], 5_440));
    assert_eq!(most(3_000), (vec![1_080], 2_840));
    assert_eq!(most(0), (vec![1_080], 1));
}

#[test]
fn a_portrait_canvas_and_odd_sizes_keep_their_shape() {
    let canvas = |width: u32, height: u32| {
        let canvas = json!([{
            "width": width, "height": height, "canvas_width": width, "canvas_height": height,
            "framerate": {"numerator": 30, "denominator": 1}
        }]);
        let answer = answered(NEW, &[("/preferences/canvases", canvas)], &ladder());
        let tracks = tracks(&answer).into_iter();
        tracks.map(|track| (track.1, track.2)).collect::<Vec<_>>()
    };
    assert_eq!(
        canvas(1_080, 1_920),
        [(1_080, 1_920), (720, 1_280), (480, 852), (360, 640), (240, 426)]
    );
    assert_eq!(canvas(853, 481), [(852, 480), (638, 360), (426, 240)]);
    assert_eq!(canvas(320, 240), [(320, 240)], "nothing is made larger");
}

#[test]
fn surround_sound_is_asked_for_as_it_is_mixed() {
    let answer = answered(NEW, &[("/preferences/audio_channels", json!(6))], &ladder());
    assert_eq!(answer["audio_configurations"]["live"][0]["channels"], 6);
}

#[test]
fn the_same_answer_has_the_same_id() {
    let id = |changes: &[_]| answered(NEW, changes, &ladder())["meta"]["config_id"].clone();
    assert_eq!(id(&[]), id(&[]));
    assert_ne!(id(&[]), id(&[("/preferences/maximum_video_tracks", json!(2))]));
}

#[test]
fn a_canvas_that_is_none_and_a_server_without_rtmp_are_told() {
    let refused = |request: &Request, addresses: &[String]| {
        let answer = answer(request, &ladder(), &Limits::default(), addresses);
        assert_eq!(answer.status.result, Outcome::Error);
        answer.status.html_en_us.expect("words")
    };
    let without = request(NEW, &[("/preferences/canvases", json!([]))]);
    assert!(refused(&without, &addresses()).contains("canvas"));
    assert!(refused(&request(NEW, &[]), &[]).contains("RTMP"));
    let still = json!([{"width": 1920, "height": 1080, "framerate": {"numerator": 0, "denominator": 0}}]);
    refused(&request(NEW, &[("/preferences/canvases", still)]), &addresses());
}

#[test]
fn the_key_is_what_stands_before_the_question_mark_and_is_never_printed() {
    let request = request(NEW, &[]);
    assert_eq!(request.key(), "hw_abc");
    assert!(!format!("{request:?}").contains("hw_abc"));
}
