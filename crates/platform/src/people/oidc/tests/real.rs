//! A provider that was not written here: `oidc-provider-mock` of scripts/python-tools.txt.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use http::HeaderValue;

use super::*;
use crate::outbound;

/// The provider's process; ends with the test.
struct Real {
    process: Child,
    issuer: String,
}

impl Drop for Real {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

impl Real {
    fn start() -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/python-tools.sh");
        let output = Command::new(script).output().expect("scripts/python-tools.sh runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let folder = String::from_utf8(output.stdout).unwrap();
        let mut process = Command::new(format!("{}/bin/oidc-provider-mock", folder.trim()))
            .args(["--port", "0", "--require-nonce", "true", "--user-claims"])
            .arg(ann().to_string())
            .env("PYTHONUNBUFFERED", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("oidc-provider-mock starts");
        let mut lines = BufReader::new(process.stderr.take().unwrap())
            .lines()
            .map_while(Result::ok);
        let running = lines
            .find(|line| line.contains("running on http://"))
            .expect("it says where it runs");
        let issuer = running
            .split_whitespace()
            .find(|word| word.starts_with("http://"))
            .unwrap()
            .to_owned();
        // Read on, so that it never waits for somebody to read.
        std::thread::spawn(move || lines.for_each(drop));
        Self { process, issuer }
    }
}

/// Says yes on the provider's page, as this subject; the address that it leads back to, without the host.
async fn agree(world: &World, page: &str, subject: &str) -> String {
    let mut request = outbound::Request::post(page.parse().unwrap(), format!("sub={subject}"));
    let form = HeaderValue::from_static("application/x-www-form-urlencoded");
    request.headers.insert(header::CONTENT_TYPE, form);
    let limits = outbound::Limits {
        time_max: std::time::Duration::from_secs(10),
        body_bytes_max: 1 << 20,
        redirects_max: 0,
    };
    let answer = world.platform.outbound.send(request, limits).await.unwrap();
    let location = answer.headers[header::LOCATION].to_str().unwrap();
    location
        .strip_prefix("https://live.example.org")
        .expect(location)
        .to_owned()
}

#[tokio::test]
async fn people_sign_in_with_a_provider_that_was_not_written_here() {
    let provider = Real::start();
    for world in World::both().await {
        let admin = world.person("root", &[Role::Owner]).await;
        let body = json!({
            "slug": "mock", "name": "Mock", "issuer": provider.issuer, "client_id": CLIENT, "client_secret": "s3cret", "sign_up": true,
        });
        assert_eq!(
            world.post("/api/v1/admin/providers", Some(&admin), body).await.status,
            201
        );
        set_sign_up(&world, SignUp::Open);

        let start = "/api/v1/auth/oidc/mock/start?next=/studio";
        let started = visit(&world, start, &[], None).await;
        let ours = cookie(&started, "__Host-oidc").unwrap();
        let back = agree(&world, location(&started), "ann-there").await;
        let done = visit(&world, &back, &[&ours], Some("cross-site")).await;
        assert_eq!(location(&done), "/studio");
        assert_eq!(me(&world, &done).await["email"], "ann@example.org");

        // The same answer again, and the same code under another state.
        refused(&visit(&world, &back, &[&ours], Some("cross-site")).await, "expired");
        let started = visit(&world, start, &[], None).await;
        let ours = cookie(&started, "__Host-oidc").unwrap();
        let fresh = agree(&world, location(&started), "ann-there").await;
        let code = |path: &str| {
            path.split(['?', '&'])
                .find(|part| part.starts_with("code="))
                .unwrap()
                .to_owned()
        };
        let replayed = fresh.replace(&code(&fresh), &code(&back));
        refused(&visit(&world, &replayed, &[&ours], Some("cross-site")).await, "failed");

        // Nothing is known of this one but a subject.
        let started = visit(&world, start, &[], None).await;
        let ours = cookie(&started, "__Host-oidc").unwrap();
        let back = agree(&world, location(&started), "somebody").await;
        refused(
            &visit(&world, &back, &[&ours], Some("cross-site")).await,
            "unverified_email",
        );
    }
}
