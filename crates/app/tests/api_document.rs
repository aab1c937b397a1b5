//! A property-based tester goes through the OpenAPI document of the real server: no answer is a fault, none differs from the document.

mod common;

use std::process::Command;

use common::Server;
use common::accounts::{Database, owner_token};

#[test]
fn the_api_does_what_its_document_says() {
    let tools = common::output(
        concat!(env!("CARGO_MANIFEST_DIR"), "/../../scripts/python-tools.sh"),
        "",
    );
    for database in Database::both() {
        let data = tempfile::tempdir().unwrap();
        let settings = database.with(&[]);
        let authorization = owner_token(data.path(), &settings);
        let server = Server::start(data.path(), &settings);
        let run = Command::new(format!("{}/bin/schemathesis", tools.trim()))
            .args(["run", &server.url("/api/openapi.json"), "--url", &server.url("")])
            .args(["--header", &format!("Authorization: {authorization}")])
            .args([
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance",
            ])
            // The watch of a stream never ends.
            .args(["--exclude-path-regex", "/watch$"])
            .args([
                "--phases",
                "examples,coverage,fuzzing",
                "--max-examples",
                "12",
                "--seed",
                "1",
                "--request-timeout",
                "20",
            ])
            .args(["--generation-database", "none", "--no-color"])
            .current_dir(data.path())
            .output()
            .expect("schemathesis runs");
        let told = String::from_utf8_lossy(&run.stdout);
        assert!(
            run.status.success(),
            "{}\n{told}{}",
            database.engine,
            String::from_utf8_lossy(&run.stderr)
        );
    }
}
