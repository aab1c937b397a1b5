//! Tells the operator, once, when a source's settings hurt its viewers.

use std::collections::HashMap;

use hub::{Advice, BroadcastId, Event, Hub};
use tokio::sync::broadcast::error::RecvError;
use tracing::{info, warn};

/// Follows the hub's events for ever.
pub async fn tell(hub: Hub) {
    let mut events = hub.subscribe();
    let mut told = Told::default();
    loop {
        match events.recv().await {
            Ok(Event::Health(broadcast, health)) => {
                for advice in told.news(broadcast.id(), &health.advice) {
                    info!(broadcast = %broadcast.name(), "{advice}");
                }
            }
            Ok(Event::Ended(broadcast)) => told.forget(broadcast.id()),
            Ok(_) => {}
            Err(RecvError::Lagged(missed)) => warn!(missed, "events were missed"),
            Err(RecvError::Closed) => return,
        }
    }
}

/// What was said of which broadcast.
#[derive(Default)]
struct Told(HashMap<BroadcastId, Vec<Advice>>);

impl Told {
    /// Those that were not said before.
    fn news(&mut self, id: &BroadcastId, advice: &[Advice]) -> Vec<Advice> {
        if advice.is_empty() {
            return Vec::new();
        }
        let told = self.0.entry(id.clone()).or_default();
        let news: Vec<Advice> = advice.iter().copied().filter(|advice| !told.contains(advice)).collect();
        told.extend(&news);
        news
    }

    fn forget(&mut self, id: &BroadcastId) {
        self.0.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_advice_is_given_once_a_broadcast() {
        let (mut told, id) = (Told::default(), BroadcastId::random());
        let (far, reorders) = (Advice::KeyframesFarApart, Advice::ReordersFrames);
        assert_eq!(told.news(&id, &[far]), [far]);
        assert_eq!(told.news(&id, &[far, reorders]), [reorders]);
        assert_eq!(told.news(&id, &[far, reorders]), []);
        told.forget(&id);
        assert_eq!(told.news(&id, &[far]), [far]);
    }
}
