//! Guessing passwords: slow, told apart from nothing, and banned by the log.

use super::*;

#[tokio::test]
async fn an_unknown_address_looks_and_costs_like_a_wrong_password() {
    for world in World::both().await {
        with_password(&world, "ann").await;
        let hasher = &world.platform.doors.hasher;
        let mut seen = BTreeSet::new();
        for email in ["ann@example.org", "nobody@example.org", "not an address"] {
            let before = hasher.computed();
            let answer = sign_in(&world, email, "not the password").await;
            let mut body = answer.body.clone();
            body["request_id"] = Value::Null;
            seen.insert((answer.status.as_u16(), body.to_string(), hasher.computed() - before));
        }
        assert_eq!(seen.len(), 1, "{seen:?}");
        assert_eq!(seen.first().unwrap().0, 401);
    }
}

#[tokio::test]
async fn guessing_ends_before_anything_is_computed_and_a_known_browser_still_comes_in() {
    let world = World::new().await;
    with_password(&world, "ann").await;
    let known = browser(&sign_in(&world, "ann@example.org", PASSWORD).await);
    let hasher = &world.platform.doors.hasher;
    let mut refused = 0;
    for _ in 0..30 {
        let before = hasher.computed();
        let answer = sign_in(&world, "ann@example.org", "a guess at it").await;
        if answer.status == 429 {
            assert!(answer.headers.contains_key("retry-after"));
            assert_eq!(hasher.computed(), before);
            refused += 1;
        }
    }
    assert!(refused >= 20, "{refused}");
    let body = json!({"email": "ann@example.org", "password": PASSWORD});
    let answer = world.post("/api/v1/auth/sign-in", Some(&known), body).await;
    assert_eq!(answer.status, 200, "{}", answer.body);
    // A browser that another person signed in with is not known to this account.
    let answer = sign_in(&world, "ann@example.org", PASSWORD).await;
    assert_eq!(answer.status, 429);
}

/// The filter of the operator's guide finds the address in the line that a refused sign-in leaves.
#[tokio::test]
async fn a_refused_sign_in_leaves_a_line_that_bans() {
    use tracing::instrument::WithSubscriber as _;
    let world = World::new().await;
    with_password(&world, "ann").await;
    let log = Log::default();
    // A place that logs asks once who listens. Were that here, while other tests begin, it could miss who has just come.
    sign_in(&world, "ann@example.org", "another guess").await;
    let subscriber = tracing_subscriber::fmt()
        .with_ansi(false)
        .with_writer(log.clone())
        .finish();
    let body = json!({"email": "ann@example.org", "password": "canary-password"});
    let answer = world
        .post("/api/v1/auth/sign-in", None, body)
        .with_subscriber(subscriber)
        .await;
    assert_eq!(answer.status, 401);
    let guide = include_str!("../../../../../../docs/operate.md");
    let filter = guide
        .lines()
        .find_map(|line| line.trim().strip_prefix("failregex = "))
        .unwrap();
    // fail2ban puts a group for an address in the place of its tag.
    let filter = regex::Regex::new(&filter.replace("<HOST>", r"(?P<host>[0-9a-fA-F.:]+)")).unwrap();
    let text = log.text();
    let banned: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(filter.captures(line)?.name("host")?.as_str()))
        .collect();
    assert_eq!(banned, ["192.0.2.7"], "{text}");
    assert!(!text.contains("ann@") && !text.contains("canary"), "{text}");
}

#[derive(Clone, Default)]
struct Log(std::sync::Arc<std::sync::Mutex<Vec<u8>>>);

impl Log {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl tracing_subscriber::fmt::MakeWriter<'_> for Log {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
