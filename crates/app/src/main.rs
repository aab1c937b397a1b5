//! Headwater: a live streaming platform in one binary.

mod accounts;
mod addresses;
mod admin;
mod advice;
mod cli;
mod config;
mod demo;
mod doctor;
mod keys_file;
mod logging;
mod metrics;
mod operations;
mod secure;
mod serve;
mod transcoding;

use std::process::ExitCode;

use anyhow::{Context, Result};
use clap::Parser;
use cli::{Cli, Command, ConfigAction, Options};
use config::Settings;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(Cli::parse().command) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("headwater: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Serve(options) => serve(&gather(&options)?, false),
        Command::Demo(options) => {
            let mut settings = gather(&options)?;
            for (name, value) in demo::DEFAULTS {
                settings.default_to(name, value);
            }
            serve(&settings, true)
        }
        Command::Doctor(options) => doctor::run(&gather(&options)?),
        Command::Config { action } => configure(action),
        other => admin::run(other),
    }
    .map(|()| ExitCode::SUCCESS)
}

fn gather(options: &Options) -> Result<Settings> {
    Settings::gather(options.config.as_deref(), &options.flags())
}

fn serve(settings: &Settings, with_demo: bool) -> Result<()> {
    let config = settings.check()?;
    logging::start(&config);
    // The journal blocks for a moment at a time, passwords and images for longer: more threads would just hold memory.
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .max_blocking_threads(16)
        .build();
    runtime.context("cannot start")?.block_on(serve::run(config, with_demo))
}

fn configure(action: ConfigAction) -> Result<()> {
    match action {
        ConfigAction::Check(options) => {
            gather(&options)?.check()?;
            println!("the configuration is good");
        }
        ConfigAction::Print(options) => print!("{}", gather(&options)?.print()),
        ConfigAction::Docs => print!("{}", config::docs::page()),
    }
    Ok(())
}
