//! The task of one broadcast: samples from the hub go into the packager, windows go to the channel.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, UNIX_EPOCH};

use hub::{Broadcast, Follow, Item};
use packager::{Input, Packager, Settings, Window};
use tracing::{info, warn};

use super::Live;
use super::channel::Channel;
use super::ledger::Ledger;

/// After its end a broadcast can be had for so many windows more.
const KEPT_WINDOWS: u32 = 2;
/// Samples come a little early at times; and a shorter rest is not worth a timer.
const NAP_MARGIN: Duration = Duration::from_millis(20);

/// Packages a broadcast from its beginning to its end, and keeps it for those who are behind.
pub(super) async fn run(live: Live, channel: Arc<Channel>) {
    let broadcast = Arc::clone(channel.broadcast());
    let mut ledger = live.0.journals.begin(&broadcast).await;
    let mut packager = Packager::new(settings(&broadcast, &ledger));
    let mut follower = broadcast.follow(Follow::FromStart);
    let mut items = Vec::new();
    while follower.next_batch(&mut items).await {
        let clock = broadcast.clock_offset_micros();
        for item in items.drain(..) {
            if matches!(item, Item::Lagged) {
                warn!(name = %broadcast.name(), "packaging fell behind and lost samples");
                live.0.stats.lagged.fetch_add(1, Ordering::Relaxed);
            }
            packager.push(input(item), clock);
        }
        publish(&live, &channel, &mut packager, &mut ledger).await;
        if live.0.directory.is_crowded() {
            nap(packager.quiet()).await;
        }
    }
    packager.finish();
    publish(&live, &channel, &mut packager, &mut ledger).await;
    ledger.end(packager.learned()).await;
    info!(name = %broadcast.name(), id = %broadcast.id(), "the broadcast is over");
    if channel.window().is_some() {
        tokio::time::sleep(broadcast.settings().window * KEPT_WINDOWS).await;
    }
    live.0.directory.remove(&channel);
}

/// Where many streams share the machine, samples are left to gather until they make something whole: to be woken for each is
/// what costs most.
async fn nap(quiet: Duration) {
    let rest = quiet.saturating_sub(NAP_MARGIN);
    if rest >= NAP_MARGIN {
        tokio::time::sleep(rest).await;
    }
}

fn settings(broadcast: &Broadcast, ledger: &Ledger) -> Settings {
    let live = broadcast.settings();
    let started = broadcast.started().duration_since(UNIX_EPOCH).unwrap_or_default();
    Settings {
        part: live.part,
        segment: live.segment,
        window: live.window,
        started_micros: i64::try_from(started.as_micros()).unwrap_or(i64::MAX),
        numbering: ledger.numbering(),
        learned: ledger.learned(),
        resumed: ledger.targets(),
    }
}

fn input(item: Item) -> Input {
    match item {
        Item::Cut | Item::Lagged => Input::Cut,
        Item::Announced { video, audio } => Input::Announced { video, audio },
        Item::Parameters { track, parameters } => Input::Parameters { track, parameters },
        Item::Planned(planned) => Input::Planned(planned),
        Item::Lost(track) => Input::Lost(track),
        Item::Sample { track, sample } => Input::Sample { track, sample },
    }
}

/// Shows viewers what is new, if anything is, once the numbers and targets in it are on disk.
async fn publish(live: &Live, channel: &Channel, packager: &mut Packager, ledger: &mut Ledger) {
    let Some(window) = packager.window() else { return };
    let before = channel.window();
    if before.as_ref().is_some_and(|before| Arc::ptr_eq(before, &window)) {
        return;
    }
    ledger
        .cover(packager.numbering(), window.targets, packager.learned())
        .await;
    channel.publish(&window);
    live.0.stats.count_parts(added(before.as_deref(), &window));
}

/// How many parts came between two windows.
fn added(before: Option<&Window>, now: &Window) -> u64 {
    let next = |window: &Window| window.renditions().map(|rendition| rendition.next_part).sum::<u64>();
    let first = |window: &Window| {
        let firsts = window
            .renditions()
            .filter_map(|rendition| rendition.segments().next()?.parts.first());
        firsts.map(|part| part.number).sum::<u64>()
    };
    next(now).saturating_sub(before.map_or_else(|| first(now), next))
}
