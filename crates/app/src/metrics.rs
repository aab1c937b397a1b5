//! `/metrics`: what the server counts, read when it is asked.

use std::fmt::Error;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use delivery::live::Live;
use delivery::{server, tls};
use gateway::rtmp;
use hub::{Hub, RungState, State};
use platform::Platform;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeLabelSet, LabelSetEncoder, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::Registry;
use transcode::{Load, Transcoder};

/// Everything that is counted.
#[derive(Debug)]
pub struct Metrics(Registry);

impl Metrics {
    /// Reads from these parts.
    pub fn new(sources: Sources) -> Self {
        let mut registry = Registry::with_prefix("headwater");
        registry.register_collector(Box::new(sources));
        Self(registry)
    }

    /// The page, in the OpenMetrics text format.
    pub fn text(&self) -> String {
        let mut page = String::new();
        // Writing to a string cannot fail.
        let _ = text::encode(&mut page, &self.0);
        page
    }
}

/// The parts that count.
pub struct Sources {
    /// Broadcasts and their sources.
    pub hub: Hub,
    /// Packaging and delivery.
    pub live: Live,
    /// RTMP connections.
    pub rtmp: Arc<rtmp::Stats>,
    /// HTTP connections.
    pub http: Arc<server::Stats>,
    /// People.
    pub platform: Platform,
    /// Who makes further qualities, where that is done.
    pub transcoder: Option<Transcoder>,
    /// What TLS listeners show.
    pub certificates: Arc<tls::Store>,
}

impl std::fmt::Debug for Sources {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sources")
    }
}

impl Collector for Sources {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), Error> {
        for family in self.families() {
            let kind = if family.counter {
                MetricType::Counter
            } else {
                MetricType::Gauge
            };
            let mut metric = encoder.encode_descriptor(family.name, family.help, None, kind)?;
            for (labels, value) in family.samples {
                let mut sample = metric.encode_family(&labels)?;
                if family.counter {
                    sample.encode_counter::<Labels, _, u64>(&(value as u64), None)?;
                } else {
                    sample.encode_gauge(&value)?;
                }
            }
        }
        Ok(())
    }
}

/// One name on the page.
struct Family {
    name: &'static str,
    help: &'static str,
    counter: bool,
    samples: Vec<(Labels, f64)>,
}

/// Labels of one sample.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
struct Labels(Vec<(&'static str, String)>);

impl EncodeLabelSet for Labels {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), Error> {
        self.0
            .iter()
            .try_for_each(|(name, value)| (*name, value.as_str()).encode(encoder.encode_label()))
    }
}

use prometheus_client::encoding::EncodeLabel as _;

fn gauge(name: &'static str, help: &'static str, samples: Vec<(Labels, f64)>) -> Family {
    Family {
        name,
        help,
        counter: false,
        samples,
    }
}

fn counter(name: &'static str, help: &'static str, samples: Vec<(Labels, f64)>) -> Family {
    Family {
        name,
        help,
        counter: true,
        samples,
    }
}

fn plain(value: u64) -> Vec<(Labels, f64)> {
    vec![(Labels::default(), value as f64)]
}

fn of(label: &'static str, value: impl Into<String>) -> Labels {
    Labels(vec![(label, value.into())])
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

impl Sources {
    #[rustfmt::skip]
    fn families(&self) -> Vec<Family> {
        let (rtmp, live) = (&self.rtmp, self.live.stats());
        let connections = vec![
            (of("protocol", "rtmp"), rtmp.connections.value() as f64),
            (of("protocol", "http"), self.http.connections.load(Ordering::Relaxed) as f64),
        ];
        let turned_away = vec![
            (of("protocol", "rtmp"), read(&rtmp.turned_away) as f64),
            (of("protocol", "http"), self.http.refused.load(Ordering::Relaxed) as f64),
        ];
        let viewers = vec![
            (of("protocol", "rtmp"), rtmp.players.value() as f64),
            (of("protocol", "http"), self.live.viewers() as f64),
        ];
        let sent = vec![
            (of("protocol", "rtmp"), read(&rtmp.bytes_out) as f64),
            (of("protocol", "http"), read(&live.media_bytes) as f64),
        ];
        let errors = rtmp.protocol_errors().into_iter().map(|(kind, count)| (of("kind", kind), count as f64)).collect();
        vec![
            gauge("broadcasts", "Broadcasts by state", self.broadcasts()),
            gauge("sources", "Sources that are connected, by protocol", self.sources()),
            gauge("viewers", "Viewers now, by protocol", viewers),
            gauge("connections", "Open connections, by protocol", connections),
            gauge("source_bitrate_bits", "Bits per second that a broadcast's source sent in the last second", self.health(|h| h.bitrate as f64)),
            gauge("source_frame_rate", "Frames per second that a broadcast's source sent in the last second", self.health(|h| h.frame_rate)),
            gauge("source_lag_seconds", "How much later than its best samples a broadcast's source sent the newest", self.health(|h| h.backlog.as_secs_f64())),
            gauge("rtmp_half_open", "RTMP connections that have not ended their handshake", plain(rtmp.half_open.value())),
            counter("received_bytes", "Bytes received from RTMP peers", plain(read(&rtmp.bytes_in))),
            counter("sent_bytes", "Bytes sent to viewers, by protocol", sent),
            counter("connections_turned_away", "Connections closed because there were too many, by protocol", turned_away),
            counter("refusals", "Publishers and players refused by name, key or policy", plain(read(&rtmp.refused))),
            counter("rtmp_errors", "RTMP connections ended by the peer's fault, by kind", errors),
            counter("rtmp_skips", "Times that an RTMP player was too slow and was taken on to the next key frame", plain(read(&rtmp.skips))),
            counter("rtmp_stalled", "RTMP players that took nothing for too long", plain(read(&rtmp.stalled))),
            counter("unused_messages", "Messages of publishers that could not be used", plain(read(&rtmp.unused_messages))),
            counter("parts", "Parts that were made", plain(read(&live.parts))),
            counter("packager_drops", "Times that packaging was too slow and lost samples", plain(read(&live.lagged))),
            gauge("held_requests", "Requests for what is yet to come that are held now", plain(live.held.load(Ordering::Relaxed) as u64)),
            counter("held_too_long", "Held requests that were answered with 503", plain(read(&live.timed_out))),
            counter("playlist_requests", "Requests for playlists and manifests", plain(read(&live.playlists))),
            counter("media_requests", "Requests for segments, parts and initialisation segments", plain(read(&live.media))),
            counter("password_hashes", "Passwords that were hashed or checked: what a flood of sign-ins costs", plain(self.platform.doors.hasher.computed())),
            gauge("certificate_not_after_timestamp_seconds", "When the certificate that is shown stops being valid, in seconds since 1970; absent without one", self.certificate_end()),
            gauge("transcode_budget_millicores", "Thousandths of a processor that encoding may take; absent where nothing is encoded", self.encoding(|load| load.total.into())),
            gauge("transcode_reserved_millicores", "Thousandths of a processor that encoding was given", self.encoding(|load| load.used.into())),
            gauge("transcode_measured_millicores", "Thousandths of a processor that encoders took in the last seconds", self.encoding(|load| load.measured.into())),
            counter("transcode_troubles", "Times that an encoder crashed, hung or fell behind", self.encoding(|load| load.troubles as f64)),
            gauge("transcode_rungs", "Further qualities by state", self.rungs()),
            counter("playlists_rendered", "Playlists that were written, for any number of viewers", plain(read(&live.rendered))),
        ]
    }

    fn broadcasts(&self) -> Vec<(Labels, f64)> {
        let states: Vec<State> = self
            .hub
            .broadcasts()
            .iter()
            .map(|broadcast| broadcast.state())
            .collect();
        let count = |wanted| states.iter().filter(|state| **state == wanted).count() as f64;
        vec![
            (of("state", "live"), count(State::Live)),
            (of("state", "waiting"), count(State::Waiting)),
        ]
    }

    fn encoding(&self, value: impl Fn(Load) -> f64) -> Vec<(Labels, f64)> {
        let load = self.transcoder.as_ref().map(Transcoder::load);
        load.map(|load| (Labels::default(), value(load))).into_iter().collect()
    }

    fn rungs(&self) -> Vec<(Labels, f64)> {
        let mut counts = [("starting", 0.0), ("running", 0.0), ("dropped", 0.0)];
        let broadcasts = self.hub.broadcasts();
        for report in broadcasts.iter().filter_map(|broadcast| broadcast.ladder_report()) {
            for rung in &report.rungs {
                let state = match rung.state {
                    RungState::Starting => 0,
                    RungState::Running => 1,
                    RungState::Dropped(_) => 2,
                };
                counts[state].1 += 1.0;
            }
        }
        counts.map(|(state, count)| (of("state", state), count)).into()
    }

    fn certificate_end(&self) -> Vec<(Labels, f64)> {
        let end = self.certificates.status().not_after;
        let seconds = end.and_then(|end| end.duration_since(UNIX_EPOCH).ok());
        seconds
            .map(|seconds| (Labels::default(), seconds.as_secs_f64()))
            .into_iter()
            .collect()
    }

    fn sources(&self) -> Vec<(Labels, f64)> {
        let mut counts = std::collections::BTreeMap::new();
        for source in self.hub.broadcasts().iter().filter_map(|broadcast| broadcast.source()) {
            *counts.entry(source.protocol).or_insert(0.0) += 1.0;
        }
        counts
            .into_iter()
            .map(|(protocol, count)| (of("protocol", protocol.as_str()), count))
            .collect()
    }

    fn health(&self, value: impl Fn(&hub::Health) -> f64) -> Vec<(Labels, f64)> {
        let broadcasts = self.hub.broadcasts();
        let known = broadcasts
            .iter()
            .filter_map(|broadcast| Some((broadcast.name().to_string(), broadcast.health()?)));
        known
            .map(|(name, health)| (of("broadcast", name), value(&health)))
            .collect()
    }
}
