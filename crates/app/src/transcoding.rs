//! Starts the encoding of ladders.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use hub::{Broadcast, Hub, Ladder, Rung, RungReport, RungState};
use platform::{Platform, ladder as asked};
use tracing::warn;
use transcode::ladder::{self, Preset, Source};
use transcode::{Answer, ENCODERS, Encoder, Family, Foreseen, Measured, Options, Planner, Probe, Transcoder};

use crate::config::Config;

/// Asks the program of `transcode.webhook_url`. It is told what the broadcast shows, which is what was measured.
struct ByWebhook(Platform);

impl Planner for ByWebhook {
    fn plan<'a>(&'a self, broadcast: &'a Arc<Broadcast>, _: &'a Measured) -> Answer<'a> {
        Box::pin(async move {
            let answer = self.0.ask_for_ladder(broadcast).await;
            answer.map_err(|error| error.to_string())
        })
    }
}

/// Encodes what the hub's broadcasts ask for, for as long as the hub lives.
pub fn start(hub: &Hub, config: &Config, platform: &Platform) -> Option<Transcoder> {
    let Some(ffmpeg) = find(&config.transcode.ffmpeg) else {
        warn!(
            ffmpeg = %config.transcode.ffmpeg.display(),
            "streams have no further qualities: install ffmpeg, or set transcode.ffmpeg"
        );
        return None;
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let options = Options {
        ffmpeg,
        family: config.transcode.family,
        presets: config.transcode.presets.clone(),
        cpu_budget: config.transcode.cpu_budget.unwrap_or(transcode::cpu_budget_of(cores)),
        opus: config.transcode.opus,
        memory_max: config.transcode.memory_max,
        folder: config.data_dir.join("transcode"),
    };
    let transcoder = Transcoder::start(hub.clone(), options, Arc::new(ByWebhook(platform.clone())));
    let (foresees, known, of) = (transcoder.clone(), transcoder.clone(), hub.clone());
    platform.preview_ladder_by(move |question| preview(&foresees, &of, question));
    let of = hub.clone();
    platform.ask_of_transcoding(move || node(&known, &of));
    Some(transcoder)
}

/// What viewers of a stream would get.
fn preview(transcoder: &Transcoder, hub: &Hub, question: &asked::Question) -> asked::Preview {
    let source = Source {
        codec: question.source.codec.into(),
        width: question.source.width,
        height: question.source.height,
        frame_rate: question.source.rate(),
        bitrate: Some(question.source.bitrate),
    };
    let mut running = hub.broadcasts().into_iter();
    let running = running.find(|broadcast| Some(broadcast.id()) == question.running.as_ref());
    let freed = running.map_or(0, |broadcast| taken(&broadcast));
    let forecast = transcoder.forecast(&question.ladder, &source, freed);
    asked::Preview {
        rungs: forecast.rungs.iter().map(planned).collect(),
        decode_cost: forecast.decode_cost,
        budget: budget(transcoder),
        notice: forecast.notice,
    }
}

fn planned(rung: &Foreseen) -> asked::PlannedRung {
    let reason = "this server has no room for it: its processors encode other streams";
    asked::PlannedRung {
        name: rung.name.to_string(),
        width: rung.width,
        height: rung.height,
        frame_rate: rung.frame_rate.map(media::FrameRate::per_second),
        bitrate: rung.bitrate,
        encoder: rung.encoder.to_owned(),
        cost: rung.cost,
        reason: (!rung.fits).then(|| reason.to_owned()),
    }
}

/// What this server can encode, and does.
fn node(transcoder: &Transcoder, hub: &Hub) -> asked::Node {
    let tried = transcoder.tried();
    let encoder = |encoder: Encoder| {
        let found = tried
            .iter()
            .find(|(known, _)| *known == encoder)
            .map(|(_, probe)| probe);
        asked::Encoder {
            name: encoder.name().to_owned(),
            family: family(encoder.family).to_owned(),
            codec: codec(encoder.codec),
            works: found.map(|probe| *probe == Probe::Works),
            reason: found.and_then(|probe| match probe {
                Probe::Fails(reason) => Some(reason.clone()),
                Probe::Works => None,
            }),
        }
    };
    // Those too that there is no room for.
    let asks = |broadcast: &Arc<Broadcast>| broadcast.ladder_report().is_some_and(|report| !report.rungs.is_empty());
    let jobs = hub.broadcasts().into_iter().filter(asks);
    asked::Node {
        budget: budget(transcoder),
        encoders: ENCODERS.into_iter().map(encoder).collect(),
        jobs: jobs
            .map(|broadcast| asked::Job {
                broadcast: broadcast.id().clone(),
                cost: taken(&broadcast),
                measured: transcoder.measured(broadcast.id()),
            })
            .collect(),
    }
}

fn budget(transcoder: &Transcoder) -> asked::Budget {
    let load = transcoder.load();
    asked::Budget {
        total: load.total,
        used: load.used,
    }
}

/// What the rungs of a broadcast take, in thousandths of a processor.
fn taken(broadcast: &Broadcast) -> u32 {
    let made = |rung: &&RungReport| !matches!(rung.state, RungState::Dropped(_));
    let report = broadcast.ladder_report();
    report.map_or(0, |report| report.rungs.iter().filter(made).map(|rung| rung.cost).sum())
}

/// As `transcode.encoder` names it.
fn family(family: Family) -> &'static str {
    match family {
        Family::Software => "software",
        Family::Nvenc => "nvenc",
        Family::Vaapi => "vaapi",
        Family::Qsv => "qsv",
    }
}

fn codec(codec: hub::Codec) -> asked::Codec {
    match codec {
        hub::Codec::Avc => asked::Codec::Avc,
        hub::Codec::Hevc => asked::Codec::Hevc,
        hub::Codec::Av1 => asked::Codec::Av1,
    }
}

/// The names of all presets, those that every server has first.
pub fn names(own: &[Preset]) -> Vec<String> {
    let mut names: Vec<String> = ladder::presets().into_iter().map(|preset| preset.name).collect();
    for preset in own {
        if !names.contains(&preset.name) {
            names.push(preset.name.clone());
        }
    }
    names
}

/// The rungs of a preset, for encoders that make the ladder themselves: those that would be made here of a source without one.
pub fn rungs(presets: &[Preset], ladder: &Ladder) -> Option<Vec<Rung>> {
    match ladder {
        Ladder::Off | Ladder::Rungs(_) => None,
        Ladder::Preset(name) | Ladder::Asked { otherwise: name } => {
            ladder::find(presets, name).map(|preset| preset.rungs)
        }
    }
}

/// Where a program is: children are started without `PATH`.
pub fn find(program: &Path) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return std::path::absolute(program).ok().filter(|path| path.is_file());
    }
    let path = std::env::var_os("PATH")?;
    let folders: Vec<_> = std::env::split_paths(&path).collect();
    let candidates = folders.into_iter().map(|folder| folder.join(program));
    candidates
        .filter_map(|path| std::path::absolute(path).ok())
        .find(|path| path.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoder_is_asked_for_the_rungs_of_the_preset() {
        let sizes = |ladder| {
            let rungs = rungs(&[], &ladder)?;
            Some(rungs.iter().map(|rung| rung.size).collect::<Vec<_>>())
        };
        let mobile = Some(vec![480, 360, 240, 144]);
        assert_eq!(sizes(Ladder::Preset("mobile".into())), mobile);
        let otherwise = "mobile".into();
        assert_eq!(sizes(Ladder::Asked { otherwise }), mobile);
        assert_eq!(sizes(Ladder::Off), None);
        assert_eq!(sizes(Ladder::Preset("no such".into())), None);
    }

    #[test]
    fn a_stream_may_ask_for_every_preset_once() {
        let own = |name: &str| Preset {
            name: name.into(),
            ..ladder::find(&[], "mobile").unwrap()
        };
        assert_eq!(names(&[]), platform::ladder::PRESETS);
        let expected = ["default", "low-latency", "mobile", "high", "sports"];
        assert_eq!(names(&[own("high"), own("sports")]), expected);
    }

    #[test]
    fn a_name_is_looked_up_and_a_path_is_not() {
        assert!(find(Path::new("sh")).is_some_and(|path| path.is_absolute()));
        assert_eq!(find(Path::new("./sh")), None);
        assert_eq!(find(Path::new("no-such-program")), None);
    }
}
