//! Where log lines go: to standard error, as lines for people or objects for machines.

use tracing_subscriber::EnvFilter;

use crate::config::Config;

/// Starts logging.
pub fn start(config: &Config) {
    let filter = EnvFilter::new(format!(
        "warn,headwater={0},hub={0},gateway={0},delivery={0},platform={0}",
        config.log_level
    ));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr);
    if config.log_json {
        lines.json().init();
    } else {
        let colours = std::io::IsTerminal::is_terminal(&std::io::stderr());
        lines.with_ansi(colours).with_target(false).init();
    }
}
